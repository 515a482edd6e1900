#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "work.h"

static const struct {
    const char *name;
    uint64_t (*run)(void);
} programs[] = {
    {"integer", integer},
    {"memory", memory},
    {"floating", floating},
    {"branches", branches},
};

int main(int count, char **words)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (count == 2 && strcmp(words[1], programs[i].name) == 0) {
            printf("%s %016" PRIx64 "\n", words[1], programs[i].run());
            return 0;
        }
    }
    fprintf(stderr, "usage: work integer|memory|floating|branches\n");
    return 2;
}
