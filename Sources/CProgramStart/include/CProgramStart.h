// Checks that run before any Swift code.  There is nothing to call: linking it is enough.
#pragma once
