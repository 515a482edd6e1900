/* Loads and stores: a copy, a sum in order, and a walk in random order, over more than the caches of the
 * host's first levels and than the entries of a TLB hold. */
#include <stdlib.h>
#include <string.h>

#include "work.h"

enum { WORDS = 2 << 20, STEPS = 6 << 20, SWEEPS = 12 };

uint64_t memory(void)
{
    uint64_t state = 2, sum = 0;
    uint64_t *one = malloc(WORDS * sizeof *one), *other = malloc(WORDS * sizeof *other);
    if (one == NULL || other == NULL)
        abort();
    for (uint64_t i = 0; i < WORDS; i++)
        one[i] = i;
    /* Sattolo's shuffle: one circle through all of them. */
    for (uint64_t i = WORDS - 1; i > 0; i--) {
        uint64_t at = next_random(&state) % i, kept = one[i];
        one[i] = one[at];
        one[at] = kept;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        memcpy(other, one, WORDS * sizeof *one);
        for (uint64_t i = 0; i < WORDS; i++) {
            sum = sum * 31 + other[i];
            one[i] = other[i];
        }
    }
    uint64_t at = 0;
    for (int i = 0; i < STEPS; i++) {
        at = one[at];
        sum += at;
    }
    free(one);
    free(other);
    return sum;
}
