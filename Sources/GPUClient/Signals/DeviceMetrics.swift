internal import CSpillway
public import SpillwayCore

/// What NVIDIA's DCGM exporter, or Triton, tells of the GPUs of a machine.
///
/// Engines take all memory when they start and keep a GPU busy with one request, so memory and utilisation are read for people
/// and decide nothing. Only what says that a GPU is sick is a veto: ``veto(_:gpus:)``.
///
/// `DCGM_FI_DEV_XID_ERRORS` shows the last XID until the exporter forgets it, which may be long after a reset; an exporter that
/// counts them for a few minutes (`DCGM_EXP_XID_ERRORS_COUNT`) is the better source. Both are read.
public struct DeviceMetrics: Sendable, Hashable {
    /// One GPU, or all parts of one that is divided.
    public struct Device: Sendable, Hashable {
        /// The UUID, such as `GPU-604ac76c-…`; nil when the page does not tell.
        public let uuid: String?
        /// The number within the machine; nil when the page does not tell.
        public let index: String?
        /// XIDs that were reported; the last one, or those of the exporter's window.
        public internal(set) var xids: Set<Int> = []
        /// Whether rows of memory that fail could not be replaced.
        public internal(set) var hasRowRemapFailure = false
        /// Degrees Celsius.
        public internal(set) var temperature: Double?
        /// Bytes of memory that are free.
        public internal(set) var memoryFree: Int64?
        /// Bytes of memory that are used.
        public internal(set) var memoryUsed: Int64?
        /// The share of time in which anything ran, from 0 to 1.
        public internal(set) var utilisation: Double?

        /// The UUID, or the number where there is none.
        public var name: String { uuid ?? index ?? "unknown" }
    }

    /// The GPUs in the order of the page; the first ``most``.
    public private(set) var devices: [Device] = []
    /// How many lines of a wanted name were malformed, cut off, or had a value that cannot be.
    public private(set) var unreadable = 0
    /// When the page was asked for.
    public let said: Instant

    /// How many GPUs of one page are kept.
    public static let most = 128

    /// Reads a page, of any length and content.
    public init(_ page: UnsafeRawBufferPointer, at now: Instant) {
        said = now
        guard let base = page.bindMemory(to: UInt8.self).baseAddress else { return }
        var lines = spw_metrics(
            at: base, end: base + page.count, first: SPW_ENGINE_FIELDS.rawValue, last: SPW_FIELDS.rawValue)
        var sample = spw_sample()
        while spw_metrics_next(&lines, &sample) {
            guard sample.is_readable, add(sample) else {
                unreadable += 1
                continue
            }
        }
    }

    /// Reads a page, of any length and content.
    public init(_ page: [UInt8], at now: Instant) {
        self = page.withUnsafeBytes { Self($0, at: now) }
    }

    /// Why no work must go to these GPUs; nil when nothing speaks against it.
    ///
    /// - Parameters:
    ///   - limits: What is a veto.
    ///   - gpus: UUIDs or numbers of the GPUs that matter; all by default.
    public func veto(_ limits: DeviceLimits = .init(), gpus: Set<String>? = nil) -> DeviceVeto? {
        for device in devices {
            if let gpus, ![device.uuid, device.index].contains(where: { $0.map(gpus.contains) ?? false }) { continue }
            // Of several, the smallest number, so that it is the same each time.
            if let xid = device.xids.intersection(limits.xids).min() {
                return DeviceVeto(device: device.name, reason: .xid(xid))
            }
            if device.hasRowRemapFailure { return DeviceVeto(device: device.name, reason: .rowRemapFailure) }
            if let limit = limits.temperature, let degrees = device.temperature, degrees >= limit {
                return DeviceVeto(device: device.name, reason: .temperature(degrees))
            }
        }
        return nil
    }
}

extension DeviceMetrics {
    /// Takes one line; false when its value cannot be.
    private mutating func add(_ sample: spw_sample) -> Bool {
        guard let value = Self.value(sample) else { return false }
        guard let place = place(sample) else { return true }
        switch sample.field {
        case SPW_XID, SPW_XID_COUNT: if value > 0 { devices[place].xids.insert(Int(value)) }
        case SPW_ROW_REMAP_FAILURE: if value > 0 { devices[place].hasRowRemapFailure = true }
        // Of the parts of a GPU the hottest; its memory is that of all parts.
        case SPW_TEMPERATURE: devices[place].temperature = max(value, devices[place].temperature ?? value)
        case SPW_MEMORY_FREE_MIB: devices[place].memoryFree = Self.sum(devices[place].memoryFree, value)
        case SPW_MEMORY_USED_MIB, SPW_MEMORY_USED_BYTES:
            devices[place].memoryUsed = Self.sum(devices[place].memoryUsed, value)
        default: devices[place].utilisation = max(value, devices[place].utilisation ?? 0)
        }
        return true
    }

    /// The sum of the memory of a GPU's parts; a page may name more than there can be.
    private static func sum(_ before: Int64?, _ value: Double) -> Int64 {
        let (sum, isOver) = (before ?? 0).addingReportingOverflow(Int64(value))
        return isOver ? .max : sum
    }

    /// The value in this type's units; nil when it cannot be, as DCGM's marks for what it does not know.
    private static func value(_ sample: spw_sample) -> Double? {
        func from(_ least: Double, through most: Double, times unit: Double = 1) -> Double? {
            sample.value >= least && sample.value <= most ? sample.value * unit : nil
        }
        switch sample.field {
        case SPW_XID: return from(0, through: 9_999)
        case SPW_XID_COUNT:
            guard let count = from(0, through: 0x1p53) else { return nil }
            // A GPU without an error has a line of 0 and no XID.
            if count == 0 { return 0 }
            let xid = spw_label_number(label(sample, SPW_LABEL_XID))
            return xid >= 0 && xid <= 9_999 ? xid : nil
        case SPW_ROW_REMAP_FAILURE: return from(0, through: 0x1p31)
        case SPW_TEMPERATURE: return from(-50, through: 200)
        case SPW_MEMORY_FREE_MIB, SPW_MEMORY_USED_MIB: return from(0, through: 0x1p30, times: 0x1p20)
        case SPW_MEMORY_USED_BYTES: return from(0, through: 0x1p50)
        case SPW_UTILISATION_PERCENT: return from(0, through: 100, times: 0.01)
        default: return from(0, through: 1)
        }
    }

    /// Where the GPU of this line is, made when it is new; nil when there is no place for it.
    private mutating func place(_ sample: spw_sample) -> Int? {
        let (index, uuid) = (Self.label(sample, SPW_LABEL_GPU), Self.label(sample, SPW_LABEL_UUID))
        let known = devices.firstIndex { device in
            if uuid.start != nil, let its = device.uuid { return Self.equals(uuid, its) }
            return Self.equals(index, device.index ?? "")
        }
        if let known { return known }
        guard devices.count < Self.most, uuid.length <= 200, index.length <= 200 else { return nil }
        devices.append(Device(uuid: Self.text(uuid), index: Self.text(index)))
        return devices.count - 1
    }

    private static func label(_ sample: spw_sample, _ label: spw_metric_label) -> spw_bytes {
        withUnsafePointer(to: sample) { spw_sample_label($0, label) }
    }

    private static func equals(_ label: spw_bytes, _ text: String) -> Bool {
        guard label.start != nil else { return text.isEmpty }
        var text = text
        return text.withUTF8 { spw_label_equals(label, $0.baseAddress, $0.count) }
    }

    /// UUIDs and numbers have no escapes.
    private static func text(_ label: spw_bytes) -> String? {
        label.start.map { String(decoding: UnsafeBufferPointer(start: $0, count: label.length), as: UTF8.self) }
    }
}
