extension GPUFacts {
    /// How a GPU's memory is used, in bytes.
    public struct Memory: Sendable, Hashable {
        /// All there is.
        public let total: Int64
        /// What is taken by all processes, and by the driver.
        public let used: Int64
        /// What can be taken.
        public let free: Int64
        /// What the driver keeps for itself, a part of ``used``; nil where the library is too old to say.
        public let reserved: Int64?

        /// The most that may be lost to fragments, in bytes: what is used and that nobody accounts for.
        ///
        /// The driver maps memory in pages and shows no fragments, nor does it know what an allocator within a process has
        /// taken and does not use. So this is an upper bound and no measurement: beside fragments it has in it allocators'
        /// caches, contexts of CUDA, loaded kernels, and other processes. Watch how it grows while the load stays.
        ///
        /// - Parameter accounted: The bytes that the engine says it uses: weights, cache of keys and values, activations.
        ///   One below 0 counts as 0.
        public func fragmentsAtMost(accounted: Int64) -> Int64 {
            max(0, used - (reserved ?? 0) - max(0, accounted))
        }
    }

    /// How busy a GPU was, in hundredths of the driver's last sample period (a sixth of a second to one second).
    public struct Utilization: Sendable, Hashable {
        /// The share of time for which any kernel ran; it says nothing of how much of the GPU that kernel used.
        public let percent: Int
        /// The share of time for which memory was read or written.
        public let memoryPercent: Int
    }

    /// Rows of a GPU's memory that were replaced by spare ones (Ampere and later).
    public struct RemappedRows: Sendable, Hashable {
        /// Rows replaced because of errors that were corrected.
        public let corrected: Int
        /// Rows replaced because of errors that were not.
        public let uncorrected: Int
        /// Whether a row waits for a reset to be replaced.
        public let isPending: Bool
        /// Whether a row could not be replaced: the GPU is to be returned.
        public let hasFailed: Bool
    }

    /// Errors of a GPU's memories since the driver was loaded.
    public struct MemoryErrors: Sendable, Hashable {
        /// Errors of one bit, which did no harm.
        public let corrected: Int64
        /// Errors that were found and not mended.
        public let uncorrected: Int64
    }

    /// Errors that the driver reported of a GPU (NVIDIA, *XID Errors*), as `nvidia-smi` and the kernel's log number them.
    ///
    /// Some are a program's fault (13, 31, 43, 45), others the hardware's (48, 63, 64, 74, 79, 94, 95, 119).
    public struct XIDs: Sendable, Hashable {
        /// How many, since this process read facts for the first time.
        public let count: Int
        /// The number of the last; nil: there was none.
        public let last: Int?
    }

    /// Why a GPU runs slower than it could: the driver's reasons, of which several may hold.
    public struct Throttling: OptionSet, Sendable, Hashable, CustomStringConvertible {
        /// The bits as the driver has them, also those without a name here.
        public let rawValue: UInt64

        /// The reasons of so many bits.
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// Nothing runs on it.
        public static let idle = Throttling(rawValue: 0x1)
        /// Somebody has set the clocks.
        public static let clocksSet = Throttling(rawValue: 0x2)
        /// It would draw more power than it may.
        public static let powerCap = Throttling(rawValue: 0x4)
        /// The hardware slows it down by half or more: too hot, a power brake, or a supply that is too weak.
        public static let hardwareSlowdown = Throttling(rawValue: 0x8)
        /// It keeps pace with other GPUs.
        public static let syncBoost = Throttling(rawValue: 0x10)
        /// The driver keeps it from becoming too hot.
        public static let thermal = Throttling(rawValue: 0x20)
        /// The hardware does, because it is too hot.
        public static let hardwareThermal = Throttling(rawValue: 0x40)
        /// The machine's power supply asks for it.
        public static let powerBrake = Throttling(rawValue: 0x80)
        /// A display has set the clocks.
        public static let displayClocks = Throttling(rawValue: 0x100)

        /// Those that mean that work takes longer than planned: power, heat, or the supply.
        public static let harmful: Throttling = [.powerCap, .hardwareSlowdown, .thermal, .hardwareThermal, .powerBrake]

        private static let names: [(Throttling, String)] = [
            (.idle, "idle"), (.clocksSet, "clocks_set"), (.powerCap, "power_cap"),
            (.hardwareSlowdown, "hardware_slowdown"), (.syncBoost, "sync_boost"), (.thermal, "thermal"),
            (.hardwareThermal, "hardware_thermal"), (.powerBrake, "power_brake"), (.displayClocks, "display_clocks"),
        ]

        /// The names as metric labels with commas between, such as `power_cap,thermal`; bits without a name in hexadecimal.
        public var description: String {
            let known = Self.names.filter { contains($0.0) }
            let rest = subtracting(known.reduce(into: Throttling()) { $0.formUnion($1.0) })
            let names = known.map(\.1) + (rest.isEmpty ? [] : ["0x" + String(rest.rawValue, radix: 16)])
            return names.isEmpty ? "none" : names.joined(separator: ",")
        }
    }
}
