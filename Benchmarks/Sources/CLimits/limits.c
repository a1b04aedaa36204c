#include "limits_of_machine.h"
