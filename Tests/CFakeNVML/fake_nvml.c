#include "fake_nvml.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// Declared here anew, from the NVML API Reference, and not taken from spw_nvml.h: the two must agree by themselves.
typedef unsigned int nvmlReturn_t;
typedef struct nvmlDevice_st *nvmlDevice_t;
typedef struct nvmlEventSet_st *nvmlEventSet_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } nvmlMemory_v2_t;
typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct {
    char busIdLegacy[16];
    unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
} nvmlPciInfo_t;
typedef struct {
    nvmlDevice_t device;
    unsigned long long eventType, eventData;
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlEventData_t;

enum { MOST_GPUS = 8, MOST_RULES = 64, MOST_EVENTS = 4096, NOT_FOUND = 6, TIMEOUT = 10, MISMATCH = 25 };
struct nvmlDevice_st { unsigned int index; };
struct nvmlEventSet_st { int exists; };

static struct nvmlDevice_st devices[MOST_GPUS], twins[MOST_GPUS];
static nvmlMemory_t set_memory;
static char endless;
static struct nvmlEventSet_st event_set;
static unsigned int gpus, watched;
static struct { const char *name; nvmlReturn_t code; int hidden; } rules[MOST_RULES];
static int rule_count;
static nvmlEventData_t events[MOST_EVENTS];
static unsigned int first_event, last_event;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The name of the table below that has the same letters: what tests pass in does not last.
static const char *known(const char *name);

static nvmlReturn_t code_of(const char *name) {
    for (int i = 0; i < rule_count; i++)
        if (!rules[i].hidden && strcmp(rules[i].name, name) == 0) return rules[i].code;
    return 0;
}
#define OBEY nvmlReturn_t code = code_of(__func__); if (code) return code

static nvmlReturn_t nvmlInit_v2(void) { return code_of(__func__); }
static nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) { OBEY; *count = gpus; return 0; }
static nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    OBEY;
    if (index >= gpus) return NOT_FOUND;
    devices[index].index = index;
    *device = &devices[index];
    return 0;
}
static nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *text, unsigned int length) {
    OBEY;
    if (endless) memset(text, endless, length);
    else snprintf(text, length, "NVIDIA Fake %u", device->index);
    return 0;
}
static nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *text, unsigned int length) {
    OBEY; snprintf(text, length, "GPU-fa4e-%u", device->index); return 0;
}
static nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
    OBEY;
    memset(pci, 0xff, sizeof *pci);
    snprintf(pci->busId, sizeof pci->busId, "00000000:%02X:00.0", device->index + 16);
    return 0;
}
static nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    OBEY;
    *memory = set_memory.total ? set_memory : (nvmlMemory_t){1000000 + device->index, 300000, 700000 + device->index};
    return 0;
}
static nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory) {
    OBEY;
    if (memory->version != 0x02000028u) return MISMATCH;
    *memory = (nvmlMemory_v2_t){memory->version, 1000000 + device->index, 50000, 300000, 650000 + device->index};
    return 0;
}
static nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) {
    OBEY; *rates = (nvmlUtilization_t){90 + device->index, 40}; return 0;
}
static nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *degrees) {
    OBEY; *degrees = sensor == 0 ? 60 + device->index : 0; return 0;
}
static nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
    OBEY; *milliwatts = 500000 + device->index; return 0;
}
static nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *milliwatts) {
    OBEY; *milliwatts = 700000 + device->index; return 0;
}
static nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *millijoules) {
    OBEY; *millijoules = (1ull << 40) + device->index; return 0;
}
static nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *reasons) {
    OBEY; *reasons = device->index == 0 ? 0x24 : 0; return 0;
}
static nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) {
    OBEY; *reasons = device->index == 0 ? 0x40 : 0; return 0;
}
static nvmlReturn_t nvmlDeviceGetRemappedRows(
    nvmlDevice_t device, unsigned int *corrected, unsigned int *uncorrected, unsigned int *pending, unsigned int *failed) {
    OBEY;
    (*corrected = 3, *uncorrected = 2, *pending = device->index == 1, *failed = device->index == 2);
    return 0;
}
static nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, int kind, int counter, unsigned long long *count) {
    OBEY; *count = counter == 0 ? (kind == 1 ? 7 : 11 + device->index) : 999; return 0;
}
static nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) { OBEY; *set = &event_set; return 0; }
static nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, nvmlEventSet_t set) {
    OBEY;
    if (set != &event_set || types != 8) return 2;
    watched |= 1u << device->index;
    return 0;
}
static nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *data, unsigned int milliseconds) {
    OBEY;
    if (set != &event_set || milliseconds != 0) return 2;
    pthread_mutex_lock(&lock);
    nvmlReturn_t result = TIMEOUT;
    if (first_event != last_event) (*data = events[first_event++], result = 0);
    pthread_mutex_unlock(&lock);
    return result;
}

#define FUNCTION(name) {#name, (void *)name}
static const struct { const char *name; void *address; } functions[] = {
    FUNCTION(nvmlInit_v2), FUNCTION(nvmlDeviceGetCount_v2), FUNCTION(nvmlDeviceGetHandleByIndex_v2), FUNCTION(nvmlDeviceGetName),
    FUNCTION(nvmlDeviceGetUUID), FUNCTION(nvmlDeviceGetPciInfo_v3), FUNCTION(nvmlDeviceGetMemoryInfo),
    FUNCTION(nvmlDeviceGetMemoryInfo_v2), FUNCTION(nvmlDeviceGetUtilizationRates), FUNCTION(nvmlDeviceGetTemperature),
    FUNCTION(nvmlDeviceGetPowerUsage), FUNCTION(nvmlDeviceGetEnforcedPowerLimit), FUNCTION(nvmlDeviceGetTotalEnergyConsumption),
    FUNCTION(nvmlDeviceGetCurrentClocksEventReasons), FUNCTION(nvmlDeviceGetCurrentClocksThrottleReasons),
    FUNCTION(nvmlDeviceGetRemappedRows), FUNCTION(nvmlDeviceGetTotalEccErrors), FUNCTION(nvmlEventSetCreate),
    FUNCTION(nvmlDeviceRegisterEvents), FUNCTION(nvmlEventSetWait_v2),
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static const char *known(const char *name) {
    for (int i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0) return functions[i].name;
    return 0;
}

void fake_nvml_reset(uint32_t count) {
    gpus = count < MOST_GPUS ? count : MOST_GPUS;
    rule_count = 0;
    watched = first_event = last_event = 0;
    set_memory = (nvmlMemory_t){0, 0, 0};
    endless = 0;
}

void *fake_nvml_address(const char *name) {
    for (int i = 0; i < rule_count; i++)
        if (rules[i].hidden && strcmp(rules[i].name, name) == 0) return 0;
    for (int i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0) return functions[i].address;
    return 0;
}

static void rule(const char *name, nvmlReturn_t code, int hidden) {
    const char *kept = known(name);
    if (!kept || rule_count == MOST_RULES) return;
    rules[rule_count].name = kept;
    rules[rule_count].code = code;
    rules[rule_count++].hidden = hidden;
}
void fake_nvml_hide(const char *name) { rule(name, 0, 1); }
void fake_nvml_fail(const char *name, uint32_t code) { rule(name, code, 0); }

void fake_nvml_event(uint32_t gpu, uint64_t type, uint64_t data) {
    if (gpu >= gpus || !(watched & 1u << gpu) || last_event == MOST_EVENTS) return;
    events[last_event++] = (nvmlEventData_t){&devices[gpu], type, data, ~0u, ~0u};
}
void fake_nvml_event_of_twin(uint32_t gpu, uint64_t type, uint64_t data) {
    fake_nvml_event(gpu, type, data);
    if (last_event == first_event) return;
    twins[gpu].index = gpu;
    events[last_event - 1].device = &twins[gpu];
}
void fake_nvml_memory(uint64_t total, uint64_t free, uint64_t used) { set_memory = (nvmlMemory_t){total, free, used}; }
void fake_nvml_endless_name(char byte) { endless = byte; }
uint32_t fake_nvml_events(void) { return last_event - first_event; }
