/* ekreport_print.h - what was found out about an EK certificate, for a person at a terminal or for a program. */
#pragma once

#include "enroll/admin/attempts_print.h"
#include "enroll/proto/ekreport.h"

/* All of it; as PRINT_JSON one object a line. ERR_INTERNAL "output" when nobody takes it. */
CHECKED enum err ek_report_print(const struct ek_report *report, enum print_form form);
/* One line of it. */
CHECKED enum err ek_report_print_line(const struct ek_report *report);
