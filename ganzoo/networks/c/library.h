/* What ganzoo/networks asks of each library before it uses it. */
#include <omp.h>

#include "matrices.h"

/* How many numbers a vector of the processor has: widths of matrices are multiples of it. */
int64_t vector_width(void)
{
    return LANES;
}

/* How many columns a panel has, where matrices are laid out in panels. */
int64_t panel_width(void)
{
    return WIDTH;
}

/* How many threads a parallel region of this library would have: torch's number, if both use one OpenMP. */
int most_threads(void)
{
    return omp_get_max_threads();
}
