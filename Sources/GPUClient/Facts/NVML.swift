internal import CSpillway

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// NVIDIA's management library, where there is one: found, started and asked, never linked.
///
/// It may be asked from several threads at a time, so no lock is held while it is.
final class NVML: @unchecked Sendable {
    /// The machine's own, looked for once.
    static let shared = NVML(libraries: [
        "libnvidia-ml.so.1",
        // Where Google's containers and the Linux of Windows have it, which the loader does not always search.
        "/usr/local/nvidia/lib64/libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    ])

    // Written before anybody else sees it.
    let functions: UnsafeMutablePointer<spw_nvml>
    let xids: XIDWatch?

    /// The first library that can be loaded and started; nil where none can.
    convenience init?(libraries: [String]) {
        for library in libraries {
            guard let handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL) else { continue }
            // A library that is loaded is never unloaded: its threads may still run.
            self.init { dlsym(handle, $0) }
            return
        }
        return nil
    }

    /// A library whose functions are where `address` says; nil when it cannot be started, as without a driver.
    init?(address: (String) -> UnsafeMutableRawPointer?) {
        var found = spw_nvml()
        found.start = address("nvmlInit_v2")
        found.count = address("nvmlDeviceGetCount_v2")
        found.device = address("nvmlDeviceGetHandleByIndex_v2")
        found.name = address("nvmlDeviceGetName")
        found.uuid = address("nvmlDeviceGetUUID")
        found.pci = address("nvmlDeviceGetPciInfo_v3")
        found.memory = address("nvmlDeviceGetMemoryInfo")
        found.memory_v2 = address("nvmlDeviceGetMemoryInfo_v2")
        found.utilization = address("nvmlDeviceGetUtilizationRates")
        found.temperature = address("nvmlDeviceGetTemperature")
        found.power = address("nvmlDeviceGetPowerUsage")
        found.power_limit = address("nvmlDeviceGetEnforcedPowerLimit")
        found.energy = address("nvmlDeviceGetTotalEnergyConsumption")
        // One function under its new name and its old one.
        found.throttling =
            address("nvmlDeviceGetCurrentClocksEventReasons") ?? address("nvmlDeviceGetCurrentClocksThrottleReasons")
        found.rows = address("nvmlDeviceGetRemappedRows")
        found.ecc = address("nvmlDeviceGetTotalEccErrors")
        found.make_events = address("nvmlEventSetCreate")
        found.watch = address("nvmlDeviceRegisterEvents")
        found.next_event = address("nvmlEventSetWait_v2")
        guard spw_nvml_start(&found) == SPW_NVML_SUCCESS else { return nil }
        functions = .allocate(capacity: 1)
        functions.initialize(to: found)
        xids = XIDWatch(functions)
    }

    deinit { functions.deallocate() }
}
