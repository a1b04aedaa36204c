/// What the machine's own driver says of one GPU, now: memory, load, heat, power, throttling, errors.
///
/// Read through NVIDIA's management library (NVML), which is looked for once, when it is first asked, and is not linked.
/// Without it, or without a driver or a GPU, there are no facts and no complaint. A fact that the driver does not tell is nil.
///
/// To read takes from tens of microseconds to milliseconds, as the driver pleases, and the first time up to seconds: read
/// every few seconds, not for each call. Any number of tasks may read at a time.
public struct GPUFacts: Sendable, Hashable {
    /// The number of the GPU among those that the driver shows, from 0 on; it may change when the machine starts again.
    public let index: Int
    /// The product, such as `NVIDIA H200`.
    public let name: String?
    /// What tells this GPU from all others, such as `GPU-1e5a…`; it stays.
    public let uuid: String?
    /// Where it is plugged in, such as `00000000:17:00.0`.
    public let busID: String?
    /// How its memory is used.
    public let memory: Memory?
    /// How busy it is.
    public let utilization: Utilization?
    /// Degrees Celsius of the die.
    public let celsius: Int?
    /// Thousandths of a watt that it draws.
    public let milliwatts: Int?
    /// Thousandths of a watt that it may draw.
    public let milliwattLimit: Int?
    /// Thousandths of a joule that it has taken since the driver was loaded.
    public let millijoules: Int64?
    /// Why it runs slower than it could; empty: it does not.
    public let throttling: Throttling?
    /// Rows of memory that were replaced by spare ones.
    public let remappedRows: RemappedRows?
    /// Errors of its memories since the driver was loaded, where they are counted (ECC).
    public let memoryErrors: MemoryErrors?
    /// Errors that the driver reported since this process read facts for the first time; nil where they cannot be watched.
    public let xids: XIDs?
    /// Whether the driver has lost it: fallen off the bus, or hung.
    public let isLost: Bool
    /// Whether the driver says that it must be reset before it can be used.
    public let needsReset: Bool

    /// Whether nothing says that it must not be used: not lost, no reset required, spare rows left and none pending.
    ///
    /// A GPU of which nothing is known is sound. Heat, throttling and counts of errors are left to your judgement.
    public var isSound: Bool {
        !isLost && !needsReset && remappedRows.map { !$0.hasFailed && !$0.isPending } ?? true
    }

    /// The facts of all GPUs of this machine; empty where there is no NVIDIA GPU, no driver, or no library.
    ///
    /// A GPU that does not answer any more is listed with no facts but ``isLost`` or ``needsReset``.
    public static func read() -> [GPUFacts] { NVML.shared?.read() ?? [] }
}

extension NVML {
    /// Asks for all facts of all GPUs.
    func read() -> [GPUFacts] {
        xids?.collect()
        return NVMLDevice.all(functions).map { GPUFacts($0, xids) }
    }
}

extension GPUFacts {
    init(_ device: NVMLDevice, _ watch: XIDWatch?) {
        var device = device
        index = device.index
        name = device.name
        uuid = device.uuid
        busID = device.busID
        memory = device.memory
        utilization = device.utilization
        celsius = device.celsius
        milliwatts = device.milliwatts
        milliwattLimit = device.milliwattLimit
        millijoules = device.millijoules
        throttling = device.throttling
        remappedRows = device.remappedRows
        memoryErrors = device.memoryErrors
        xids = device.handle.flatMap { handle in watch?.seen(handle) }
        // What the questions before have shown.
        isLost = device.isLost
        needsReset = device.needsReset
    }
}
