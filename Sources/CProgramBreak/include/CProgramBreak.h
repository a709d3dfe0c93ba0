// The heap of a static program beside its variables.  There is nothing to call: linking it is enough.
#pragma once
