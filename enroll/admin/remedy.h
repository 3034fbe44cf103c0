/* remedy.h - what an operator does about a refusal; the device was told what it can do itself. */
#pragma once

/* One sentence for a reason code that a proven device can be refused with; NULL for others. */
const char *remedy_for(const char *reason);
