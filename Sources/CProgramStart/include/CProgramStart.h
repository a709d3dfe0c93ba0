// What a program looks at before anything of Swift runs.  Nothing to call: linking it is enough.
#pragma once
