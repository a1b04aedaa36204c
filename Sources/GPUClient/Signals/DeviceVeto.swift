/// Why a GPU must not be given work.
public struct DeviceVeto: Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Sendable, Hashable {
        /// The driver reported this XID, after which the GPU must be reset.
        case xid(Int)
        /// Rows of memory that fail could not be replaced.
        case rowRemapFailure
        /// So many degrees Celsius.
        case temperature(Double)
    }

    /// The GPU: its UUID, or its number where it has none.
    public let device: String
    /// What is wrong.
    public let reason: Reason

    /// A veto.
    public init(device: String, reason: Reason) {
        self.device = device
        self.reason = reason
    }

    /// One line with the GPU and the reason.
    public var description: String {
        switch reason {
        case .xid(let number): "GPU \(device): XID \(number)"
        case .rowRemapFailure: "GPU \(device): row remapping failed"
        case .temperature(let degrees): "GPU \(device): \(degrees) °C"
        }
    }
}

/// What is a veto, and what is not.
public struct DeviceLimits: Sendable, Hashable {
    /// XIDs after which NVIDIA's catalog has the GPU reset or the machine restarted before any work goes on.
    ///
    /// 46 the GPU stopped processing, 48 a double-bit memory error, 62 its micro-controller halted, 64 row remapping failed,
    /// 74 an NVLink error, 79 it has fallen off the bus, 95 an uncontained memory error, 110 a security fault, 119 and 120 its
    /// system processor does not answer, 136 a link could not be trained, 140 an unrecovered memory error, 143 it could not be
    /// initialised, 158 a fatal timeout.
    ///
    /// Not among them: those that a program causes and that end with it (13, 31, 43, 45, 68, 109, which NVIDIA's device plugin
    /// for Kubernetes passes over too), contained memory errors (94), repairs that worked (63, 156), and links that were taken
    /// down on purpose (155). Source: NVIDIA, *Analyzing Xid Errors with the Xid Catalog*, docs.nvidia.com/deploy/xid-errors.
    public static let resetXIDs: Set<Int> = [46, 48, 62, 64, 74, 79, 95, 110, 119, 120, 136, 140, 143, 158]

    /// XIDs that are a veto; ``resetXIDs`` by default.
    public var xids = DeviceLimits.resetXIDs
    /// Degrees Celsius from which heat is a veto; 90 by default, nil: never.
    ///
    /// GPUs of data centres slow down, and shut down a few degrees later, somewhat above 85: see `nvidia-smi -q -d TEMPERATURE`.
    public var temperature: Double? = 90

    /// The limits; the defaults by default.
    public init(xids: Set<Int> = DeviceLimits.resetXIDs, temperature: Double? = 90) {
        self.xids = xids
        self.temperature = temperature
    }
}
