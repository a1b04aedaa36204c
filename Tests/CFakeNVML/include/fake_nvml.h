#ifndef FAKE_NVML_H
#define FAKE_NVML_H
#include <stdint.h>

/// A library with NVML's functions over GPUs that do not exist, for one test at a time.

/// As if it had just been loaded: so many GPUs, everything there, nothing fails.
void fake_nvml_reset(uint32_t gpus);
/// Where the function of that name is; a null pointer when it has none, or was hidden.
void *fake_nvml_address(const char *name);
/// As if the library did not have that function.
void fake_nvml_hide(const char *name);
/// From now on the function gives that code, and writes nothing.
void fake_nvml_fail(const char *name, uint32_t code);
/// An event of that GPU: its type, and the number of the error.
void fake_nvml_event(uint32_t gpu, uint64_t type, uint64_t data);
/// The same, of another handle for that GPU.
void fake_nvml_event_of_twin(uint32_t gpu, uint64_t type, uint64_t data);
/// What the memory of all GPUs is, in place of the usual.
void fake_nvml_memory(uint64_t total, uint64_t free, uint64_t used);
/// From now on names are this byte as often as there is room, without an end.
void fake_nvml_endless_name(char byte);
/// Events that nobody has taken yet.
uint32_t fake_nvml_events(void);

#endif
