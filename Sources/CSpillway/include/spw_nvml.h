#ifndef SPW_NVML_H
#define SPW_NVML_H
#include <stdint.h>

/// The few functions of NVIDIA's management library that are asked, without its header and without linking it.
///
/// The layouts and codes are those of its public binary interface (*NVML API Reference Guide*, docs.nvidia.com/deploy/nvml-api),
/// which keeps what was once published: a newer layout has a new name. Every function gives 0 for success, else a code.

/// Codes that mean more than "not known".
#define SPW_NVML_SUCCESS 0u
#define SPW_NVML_ABSENT 13u         ///< NVML_ERROR_FUNCTION_NOT_FOUND: this library has no such function
#define SPW_NVML_LOST 15u           ///< NVML_ERROR_GPU_IS_LOST: fallen off the bus
#define SPW_NVML_RESET_REQUIRED 16u ///< NVML_ERROR_RESET_REQUIRED

#define SPW_NVML_XID 8ull ///< nvmlEventTypeXidCriticalError

/// nvmlMemory_t, in bytes; what is used has the driver's reserve in it.
typedef struct {
    uint64_t total, free, used;
} spw_nvml_memory;

/// nvmlMemory_v2_t, in bytes; what is used has no reserve in it.
typedef struct {
    uint32_t version;
    uint64_t total, reserved, free, used;
} spw_nvml_memory_v2;

/// nvmlUtilization_t, in hundredths.
typedef struct {
    uint32_t gpu, memory;
} spw_nvml_utilization;

/// nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3.
typedef struct {
    char old_bus_id[16];
    uint32_t domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} spw_nvml_pci;

/// nvmlEventData_t of nvmlEventSetWait_v2; for an Xid error `data` is its number.
typedef struct {
    void *device;
    uint64_t type, data;
    uint32_t gpu_instance, compute_instance;
} spw_nvml_event;

/// nvmlDeviceGetRemappedRows gives these one by one.
typedef struct {
    uint32_t corrected, uncorrected, pending, failed;
} spw_nvml_rows;

/// Where the functions are; a null pointer where the library has none of that name.
typedef struct {
    void *start, *count, *device, *name, *uuid, *pci, *memory, *memory_v2, *utilization, *temperature, *power, *power_limit;
    void *energy, *throttling, *rows, *ecc, *make_events, *watch, *next_event;
} spw_nvml;

#define SPW_NVML_CALL(function, types, ...) ((function) ? ((uint32_t(*) types)(function))(__VA_ARGS__) : SPW_NVML_ABSENT)

static inline uint32_t spw_nvml_start(const spw_nvml *n) {
    return n->start ? ((uint32_t(*)(void))n->start)() : SPW_NVML_ABSENT;
}
static inline uint32_t spw_nvml_count(const spw_nvml *n, uint32_t *count) {
    return SPW_NVML_CALL(n->count, (uint32_t *), count);
}
static inline uint32_t spw_nvml_device(const spw_nvml *n, uint32_t index, void **device) {
    return SPW_NVML_CALL(n->device, (uint32_t, void **), index, device);
}
static inline uint32_t spw_nvml_name(const spw_nvml *n, void *device, char *text, uint32_t length) {
    return SPW_NVML_CALL(n->name, (void *, char *, uint32_t), device, text, length);
}
static inline uint32_t spw_nvml_uuid(const spw_nvml *n, void *device, char *text, uint32_t length) {
    return SPW_NVML_CALL(n->uuid, (void *, char *, uint32_t), device, text, length);
}
/// The bus id alone, which is what the rest of the structure says too.
static inline uint32_t spw_nvml_bus_id(const spw_nvml *n, void *device, char text[32]) {
    spw_nvml_pci pci = {{0}, 0, 0, 0, 0, 0, {0}};
    uint32_t code = SPW_NVML_CALL(n->pci, (void *, spw_nvml_pci *), device, &pci);
    for (int i = 0; i < 32; i++) text[i] = i < 31 ? pci.bus_id[i] : 0;
    return code;
}
static inline uint32_t spw_nvml_memory_of(const spw_nvml *n, void *device, spw_nvml_memory *memory) {
    return SPW_NVML_CALL(n->memory, (void *, spw_nvml_memory *), device, memory);
}
/// The library knows by the version, which is the size and the number of the layout, what it may write.
static inline uint32_t spw_nvml_reserved(const spw_nvml *n, void *device, uint64_t *bytes) {
    spw_nvml_memory_v2 memory = {(uint32_t)sizeof(spw_nvml_memory_v2) | 2u << 24, 0, 0, 0, 0};
    uint32_t code = SPW_NVML_CALL(n->memory_v2, (void *, spw_nvml_memory_v2 *), device, &memory);
    *bytes = memory.reserved;
    return code;
}
static inline uint32_t spw_nvml_utilization_of(const spw_nvml *n, void *device, spw_nvml_utilization *rates) {
    return SPW_NVML_CALL(n->utilization, (void *, spw_nvml_utilization *), device, rates);
}
/// Degrees Celsius of the die (NVML_TEMPERATURE_GPU).
static inline uint32_t spw_nvml_temperature(const spw_nvml *n, void *device, uint32_t *degrees) {
    return SPW_NVML_CALL(n->temperature, (void *, uint32_t, uint32_t *), device, 0u, degrees);
}
static inline uint32_t spw_nvml_power(const spw_nvml *n, void *device, uint32_t *milliwatts) {
    return SPW_NVML_CALL(n->power, (void *, uint32_t *), device, milliwatts);
}
static inline uint32_t spw_nvml_power_limit(const spw_nvml *n, void *device, uint32_t *milliwatts) {
    return SPW_NVML_CALL(n->power_limit, (void *, uint32_t *), device, milliwatts);
}
static inline uint32_t spw_nvml_energy(const spw_nvml *n, void *device, uint64_t *millijoules) {
    return SPW_NVML_CALL(n->energy, (void *, uint64_t *), device, millijoules);
}
static inline uint32_t spw_nvml_throttling(const spw_nvml *n, void *device, uint64_t *reasons) {
    return SPW_NVML_CALL(n->throttling, (void *, uint64_t *), device, reasons);
}
static inline uint32_t spw_nvml_rows_of(const spw_nvml *n, void *device, spw_nvml_rows *r) {
    return SPW_NVML_CALL(
        n->rows, (void *, uint32_t *, uint32_t *, uint32_t *, uint32_t *), device, &r->corrected, &r->uncorrected, &r->pending,
        &r->failed);
}
/// Errors of all memories since the driver was loaded (NVML_VOLATILE_ECC); kind 0: corrected, 1: uncorrected.
static inline uint32_t spw_nvml_ecc(const spw_nvml *n, void *device, uint32_t kind, uint64_t *count) {
    return SPW_NVML_CALL(n->ecc, (void *, uint32_t, uint32_t, uint64_t *), device, kind, 0u, count);
}
static inline uint32_t spw_nvml_make_events(const spw_nvml *n, void **events) {
    return SPW_NVML_CALL(n->make_events, (void **), events);
}
static inline uint32_t spw_nvml_watch(const spw_nvml *n, void *device, void *events) {
    return SPW_NVML_CALL(n->watch, (void *, uint64_t, void *), device, SPW_NVML_XID, events);
}
/// Does not wait: NVML_ERROR_TIMEOUT when nothing has happened.
static inline uint32_t spw_nvml_next_event(const spw_nvml *n, void *events, spw_nvml_event *event) {
    return SPW_NVML_CALL(n->next_event, (void *, spw_nvml_event *, uint32_t), events, event, 0u);
}

#undef SPW_NVML_CALL
#endif
