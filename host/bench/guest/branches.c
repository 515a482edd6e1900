/* Branches that nobody can foresee: sorting of random numbers, the 3n+1 sequences, and a small interpreter
 * whose code is random. */
#include <stdlib.h>

#include "work.h"

enum { NUMBERS = 1 << 18, STARTS = 160000, CODE = 1 << 12, RUN = 12000000 };

static void sort(uint32_t *from, uint32_t *to)
{
    while (to - from > 1) {
        uint32_t middle = from[(to - from) / 2];
        uint32_t *low = from, *high = to - 1;
        while (low <= high) {
            while (*low < middle)
                low++;
            while (*high > middle)
                high--;
            if (low <= high) {
                uint32_t kept = *low;
                *low++ = *high;
                *high-- = kept;
            }
        }
        sort(from, high + 1);
        from = low;
    }
}

static uint64_t interpret(const uint8_t *code)
{
    uint64_t a = 1, b = 2;
    for (uint32_t step = 0, at = 0; step < RUN; step++, at = (at + 1) % CODE) {
        switch (code[at] & 7) {
        case 0: a += b; break;
        case 1: b ^= a >> 3; break;
        case 2: a -= step; break;
        case 3: if (a & 1) at += 3; break;
        case 4: b += code[at]; break;
        case 5: a = a << 1 | a >> 63; break;
        case 6: if (b > a) b -= a; break;
        default: at += b & 15;
        }
    }
    return a ^ b;
}

uint64_t branches(void)
{
    uint64_t state = 4, sum = 0;
    uint32_t *numbers = malloc(NUMBERS * sizeof *numbers);
    uint8_t code[CODE];
    if (numbers == NULL)
        abort();
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = (uint32_t)next_random(&state);
    sort(numbers, numbers + NUMBERS);
    for (int i = 0; i < NUMBERS; i++)
        sum = sum * 3 + numbers[i];
    for (uint64_t start = 1; start < STARTS; start++)
        for (uint64_t n = start; n != 1; sum++)
            n = n & 1 ? 3 * n + 1 : n / 2;
    for (int i = 0; i < CODE; i++)
        code[i] = (uint8_t)next_random(&state);
    free(numbers);
    return sum + interpret(code);
}
