internal import CSpillway

/// One GPU of the library, asked for one fact after another.
///
/// Whatever code an answer has but success, that fact is not known; two codes say something of the GPU itself.
struct NVMLDevice {
    let index: Int
    let handle: UnsafeMutableRawPointer?
    private(set) var isLost = false
    private(set) var needsReset = false
    private let functions: UnsafePointer<spw_nvml>

    /// All that the library counts, also those that do not answer.
    static func all(_ functions: UnsafePointer<spw_nvml>) -> [NVMLDevice] {
        var count: UInt32 = 0
        guard spw_nvml_count(functions, &count) == SPW_NVML_SUCCESS else { return [] }
        return (0..<min(count, 1_024)).map { NVMLDevice(functions, index: $0) }
    }

    init(_ functions: UnsafePointer<spw_nvml>, index: UInt32, handle: UnsafeMutableRawPointer) {
        (self.functions, self.index, self.handle) = (functions, Int(index), handle)
    }

    private init(_ functions: UnsafePointer<spw_nvml>, index: UInt32) {
        var handle: UnsafeMutableRawPointer?
        let code = spw_nvml_device(functions, index, &handle)
        (self.functions, self.index) = (functions, Int(index))
        self.handle = code == SPW_NVML_SUCCESS ? handle : nil
        note(code)
    }

    private mutating func note(_ code: UInt32) {
        if code == SPW_NVML_LOST { isLost = true }
        if code == SPW_NVML_RESET_REQUIRED { needsReset = true }
    }

    /// What a function writes over `value`; nil when it does not succeed.
    private mutating func ask<Value>(
        _ value: Value, _ function: (UnsafePointer<spw_nvml>, UnsafeMutableRawPointer, inout Value) -> UInt32
    ) -> Value? {
        guard let handle else { return nil }
        var value = value
        let code = function(functions, handle, &value)
        note(code)
        return code == SPW_NVML_SUCCESS ? value : nil
    }

    /// A text of the library, up to its first zero; broken UTF-8 is repaired.
    private mutating func text(
        _ function: (UnsafePointer<spw_nvml>, UnsafeMutableRawPointer, UnsafeMutablePointer<CChar>, UInt32) -> UInt32
    ) -> String? {
        ask([CChar](repeating: 0, count: 96)) { functions, handle, text in
            text.withUnsafeMutableBufferPointer { function(functions, handle, $0.baseAddress!, UInt32($0.count)) }
        }.map { String(decoding: $0.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
    }

    var name: String? { mutating get { text { spw_nvml_name($0, $1, $2, $3) } } }
    var uuid: String? { mutating get { text { spw_nvml_uuid($0, $1, $2, $3) } } }
    var busID: String? {
        mutating get { text { functions, handle, text, _ in spw_nvml_bus_id(functions, handle, text) } }
    }

    var memory: GPUFacts.Memory? {
        mutating get {
            guard let memory = ask(spw_nvml_memory(), { spw_nvml_memory_of($0, $1, &$2) }) else { return nil }
            // All ones stand for a number that is not to be had.
            guard memory.total != .max, memory.used <= memory.total, memory.free <= memory.total else { return nil }
            let reserved = ask(UInt64(0)) { spw_nvml_reserved($0, $1, &$2) }
            return GPUFacts.Memory(
                total: Int64(clamping: memory.total), used: Int64(clamping: memory.used),
                free: Int64(clamping: memory.free), reserved: reserved.map { Int64(clamping: $0) })
        }
    }

    var utilization: GPUFacts.Utilization? {
        mutating get {
            ask(spw_nvml_utilization()) { spw_nvml_utilization_of($0, $1, &$2) }
                .map { GPUFacts.Utilization(percent: Int($0.gpu), memoryPercent: Int($0.memory)) }
        }
    }

    var celsius: Int? { mutating get { ask(UInt32(0)) { spw_nvml_temperature($0, $1, &$2) }.map { Int($0) } } }
    var milliwatts: Int? { mutating get { ask(UInt32(0)) { spw_nvml_power($0, $1, &$2) }.map { Int($0) } } }
    var milliwattLimit: Int? { mutating get { ask(UInt32(0)) { spw_nvml_power_limit($0, $1, &$2) }.map { Int($0) } } }
    var millijoules: Int64? {
        mutating get { ask(UInt64(0)) { spw_nvml_energy($0, $1, &$2) }.map { Int64(clamping: $0) } }
    }

    var throttling: GPUFacts.Throttling? {
        mutating get { ask(UInt64(0)) { spw_nvml_throttling($0, $1, &$2) }.map { GPUFacts.Throttling(rawValue: $0) } }
    }

    var remappedRows: GPUFacts.RemappedRows? {
        mutating get {
            ask(spw_nvml_rows()) { spw_nvml_rows_of($0, $1, &$2) }.map {
                GPUFacts.RemappedRows(
                    corrected: Int($0.corrected), uncorrected: Int($0.uncorrected), isPending: $0.pending != 0,
                    hasFailed: $0.failed != 0)
            }
        }
    }

    var memoryErrors: GPUFacts.MemoryErrors? {
        mutating get {
            guard let corrected = ask(UInt64(0), { spw_nvml_ecc($0, $1, 0, &$2) }),
                let uncorrected = ask(UInt64(0), { spw_nvml_ecc($0, $1, 1, &$2) })
            else { return nil }
            return GPUFacts.MemoryErrors(
                corrected: Int64(clamping: corrected), uncorrected: Int64(clamping: uncorrected))
        }
    }
}
