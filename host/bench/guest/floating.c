/* Double precision: bodies that attract each other, with square roots and divisions; then a polynomial,
 * with fused multiplications. */
#include <math.h>
#include <string.h>

#include "work.h"

enum { BODIES = 6, STEPS = 230000, TERMS = 12, POINTS = 1500000 };

static struct body {
    double at[3], speed[3], mass;
} bodies[BODIES];

static void step(double time)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            double away[3], square = 1e-3;
            for (int k = 0; k < 3; k++) {
                away[k] = bodies[i].at[k] - bodies[j].at[k];
                square += away[k] * away[k];
            }
            double force = time / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                bodies[i].speed[k] -= away[k] * bodies[j].mass * force;
                bodies[j].speed[k] += away[k] * bodies[i].mass * force;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            bodies[i].at[k] += time * bodies[i].speed[k];
}

uint64_t floating(void)
{
    uint64_t state = 3, bits;
    double sum = 0;
    for (int i = 0; i < BODIES; i++) {
        for (int k = 0; k < 3; k++)
            bodies[i].at[k] = (double)(next_random(&state) >> 11) * 0x1p-50;
        bodies[i].mass = 1.0 / (i + 1);
    }
    for (int i = 0; i < STEPS; i++)
        step(1e-3);
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            sum += bodies[i].at[k] * bodies[i].speed[k];
    for (int i = 0; i < POINTS; i++) {
        double x = i * 1e-6, value = 1;
        for (int k = TERMS; k > 0; k--)
            value = fma(value, x / k, 1);
        sum += value;
    }
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}
