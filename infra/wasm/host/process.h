/* How fast the module runs. */
#ifndef PROCESS_H
#define PROCESS_H

/* Nanoseconds that a small step of arithmetic takes: natively about 2, interpreted about 80. */
double host_step_ns(void);

#endif
