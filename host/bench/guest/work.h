/* The programs of `bench machine`, in one file for the guest. Each computes for some hundred million
 * instructions and returns what it computed, which must be the same on every system. */
#include <stdint.h>

uint64_t integer(void);
uint64_t memory(void);
uint64_t floating(void);
uint64_t branches(void);

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}
