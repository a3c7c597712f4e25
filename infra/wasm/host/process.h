/* How fast the module runs. */
#ifndef PROCESS_H
#define PROCESS_H

/* Nanoseconds that a small step of arithmetic takes: natively about 1, interpreted about 100. */
double host_step_ns(void);

#endif
