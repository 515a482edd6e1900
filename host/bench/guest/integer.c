/* Arithmetic in registers: random numbers, their greatest common divisors, modular powers. */
#include "work.h"

static uint64_t divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t power(uint64_t base, uint32_t exponent, uint32_t modulus)
{
    uint64_t result = 1;
    for (base %= modulus; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}

uint64_t integer(void)
{
    uint64_t state = 1, sum = 0;
    for (int i = 0; i < 14000000; i++)
        sum = (sum << 7 | sum >> 57) ^ next_random(&state);
    for (int i = 0; i < 90000; i++) {
        uint64_t a = next_random(&state), b = next_random(&state);
        sum += divisor(a, b) + power(a, (uint32_t)b, (uint32_t)(b >> 32) | 1);
    }
    return sum;
}
