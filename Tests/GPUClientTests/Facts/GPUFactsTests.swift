import CFakeNVML
import Testing

@testable import GPUClient

/// One at a time: the library that is not there has one state.
@Suite("GPUFacts", .serialized)
struct GPUFactsTests {
    private func library(gpus: UInt32, _ prepare: () -> Void = {}) -> NVML? {
        fake_nvml_reset(gpus)
        prepare()
        return NVML { fake_nvml_address($0) }
    }

    @Test("every fact is that of its own GPU, in its own unit")
    func all() throws {
        let facts = try #require(library(gpus: 3)).read()
        #expect(facts.count == 3)
        for (index, gpu) in facts.enumerated() {
            #expect(gpu.index == index)
            #expect(gpu.name == "NVIDIA Fake \(index)")
            #expect(gpu.uuid == "GPU-fa4e-\(index)")
            #expect(gpu.busID == "00000000:1\(index):00.0")
            let bytes = Int64(index)
            #expect(
                gpu.memory
                    == GPUFacts.Memory(total: 1_000_000 + bytes, used: 700_000 + bytes, free: 300_000, reserved: 50_000)
            )
            #expect(gpu.utilization == GPUFacts.Utilization(percent: 90 + index, memoryPercent: 40))
            #expect(gpu.celsius == 60 + index)
            #expect(gpu.milliwatts == 500_000 + index)
            #expect(gpu.milliwattLimit == 700_000 + index)
            #expect(gpu.millijoules == 1 << 40 + bytes)
            #expect(gpu.throttling == (index == 0 ? [.powerCap, .thermal] : []))
            #expect(
                gpu.remappedRows
                    == GPUFacts.RemappedRows(
                        corrected: 3, uncorrected: 2, isPending: index == 1, hasFailed: index == 2))
            #expect(gpu.memoryErrors == GPUFacts.MemoryErrors(corrected: 11 + bytes, uncorrected: 7))
            #expect(gpu.xids == GPUFacts.XIDs(count: 0, last: nil))
            #expect(!gpu.isLost && !gpu.needsReset)
            #expect(gpu.isSound == (index == 0))
        }
    }

    @Test("where there is no library, no driver or no GPU there are no facts")
    func absent() {
        #expect(NVML(libraries: []) == nil)
        #expect(NVML(libraries: ["libspillway-has-no-such-library.so.1", "/nowhere/at/all"]) == nil)
        #expect(NVML { _ in nil } == nil)
        #expect(library(gpus: 0)?.read() == [])
        // The driver is not loaded, the library does not fit to it, and whatever else starting may say.
        for code in UInt32(1)...30 { #expect(library(gpus: 1) { fake_nvml_fail("nvmlInit_v2", code) } == nil) }
    }

    #if os(Linux)
    @Test("a library that is there and is another one is none")
    func another() {
        #expect(NVML(libraries: ["libc.so.6", "libm.so.6"]) == nil)
    }
    #endif

    @Test("this machine is read without a complaint, with or without a GPU")
    func thisMachine() {
        let (first, second) = (GPUFacts.read(), GPUFacts.read())
        #expect(first.map(\.uuid) == second.map(\.uuid))
        #expect(first.map(\.index) == Array(first.indices))
    }

    /// Each function, and the facts that go with it.
    private static let parts: [(function: String, isKnown: @Sendable (GPUFacts) -> Bool)] = [
        ("nvmlDeviceGetName", { $0.name != nil }), ("nvmlDeviceGetUUID", { $0.uuid != nil }),
        ("nvmlDeviceGetPciInfo_v3", { $0.busID != nil }), ("nvmlDeviceGetMemoryInfo", { $0.memory != nil }),
        ("nvmlDeviceGetMemoryInfo_v2", { $0.memory.map { $0.reserved != nil } ?? true }),
        ("nvmlDeviceGetUtilizationRates", { $0.utilization != nil }),
        ("nvmlDeviceGetTemperature", { $0.celsius != nil }), ("nvmlDeviceGetPowerUsage", { $0.milliwatts != nil }),
        ("nvmlDeviceGetEnforcedPowerLimit", { $0.milliwattLimit != nil }),
        ("nvmlDeviceGetTotalEnergyConsumption", { $0.millijoules != nil }),
        ("nvmlDeviceGetRemappedRows", { $0.remappedRows != nil }),
        ("nvmlDeviceGetTotalEccErrors", { $0.memoryErrors != nil }), ("nvmlEventSetCreate", { $0.xids != nil }),
        ("nvmlDeviceRegisterEvents", { $0.xids != nil }),
    ]

    @Test("a library without a function knows all facts but its own")
    func withoutOne() throws {
        for part in Self.parts {
            let gpu = try #require(library(gpus: 1) { fake_nvml_hide(part.function) }?.read().first)
            for other in Self.parts where other.function.hasPrefix("nvmlEvent") == part.function.hasPrefix("nvmlEvent")
            {
                guard !part.function.contains("Event") || other.function == part.function else { continue }
                #expect(other.isKnown(gpu) == (other.function != part.function), "\(part) \(other)")
            }
            #expect(gpu.isSound)
        }
        #expect(library(gpus: 1) { fake_nvml_hide("nvmlDeviceGetCount_v2") }?.read() == [])
        let blind = try #require(library(gpus: 1) { fake_nvml_hide("nvmlDeviceGetHandleByIndex_v2") }?.read().first)
        #expect(Self.parts.allSatisfy { !$0.isKnown(blind) || $0.function == "nvmlDeviceGetMemoryInfo_v2" })
        #expect(library(gpus: 1) { fake_nvml_hide("nvmlInit_v2") } == nil)
    }

    @Test("a library of before 2023 has the throttle reasons under their old name, and one may have neither")
    func oldName() throws {
        let old = library(gpus: 1) { fake_nvml_hide("nvmlDeviceGetCurrentClocksEventReasons") }
        #expect(old?.read().first?.throttling == .hardwareThermal)
        let none = library(gpus: 1) {
            fake_nvml_hide("nvmlDeviceGetCurrentClocksEventReasons")
            fake_nvml_hide("nvmlDeviceGetCurrentClocksThrottleReasons")
        }
        let gpu = try #require(none?.read().first)
        #expect(gpu.throttling == nil && gpu.celsius == 60)
    }

    @Test("any code of any function costs the fact; two say that the GPU is lost or must be reset")
    func codes() throws {
        for code in Array(UInt32(1)...30) + [999, .max] {
            for part in Self.parts where !part.function.contains("Event") {
                let nvml = try #require(library(gpus: 1))
                fake_nvml_fail(part.function, code)
                let gpu = try #require(nvml.read().first)
                #expect(!part.isKnown(gpu), "\(part.function) \(code)")
                #expect(gpu.isLost == (code == 15), "\(part.function) \(code)")
                #expect(gpu.needsReset == (code == 16), "\(part.function) \(code)")
                #expect(gpu.isSound == (code != 15 && code != 16))
            }
        }
    }

    @Test("a GPU that fell off the bus is listed, as lost")
    func lost() throws {
        let nvml = try #require(library(gpus: 2))
        fake_nvml_fail("nvmlDeviceGetHandleByIndex_v2", 15)
        let facts = nvml.read()
        #expect(facts.map(\.isLost) == [true, true])
        #expect(facts.allSatisfy { $0.name == nil && $0.memory == nil && $0.xids == nil && !$0.isSound })
    }

    @Test("Xid errors are counted from the first reading on, each for its GPU, and other events are none")
    func xids() throws {
        let nvml = try #require(library(gpus: 3))
        fake_nvml_event(1, 8, 79)
        fake_nvml_event(2, 8, 31)
        fake_nvml_event(2, 2, 5)
        fake_nvml_event(2, 8, 94)
        #expect(
            nvml.read().map(\.xids)
                == [.init(count: 0, last: nil), .init(count: 1, last: 79), .init(count: 2, last: 94)])
        #expect(nvml.read().map { $0.xids?.count } == [0, 1, 2])
        fake_nvml_event(0, 8, .max)
        #expect(nvml.read().first?.xids == .init(count: 1, last: .max))
    }

    @Test("an error is that of its GPU, also when the library has another handle for it")
    func twin() throws {
        let nvml = try #require(library(gpus: 2))
        fake_nvml_event_of_twin(1, 8, 74)
        #expect(nvml.read().map { $0.xids?.last } == [nil, 74])
        // A GPU that nobody can name is nobody's.
        fake_nvml_event_of_twin(1, 8, 79)
        fake_nvml_fail("nvmlDeviceGetUUID", 15)
        #expect(nvml.read().map { $0.xids?.count } == [0, 1])
    }

    @Test("amounts that cannot be are not taken for amounts, and a name without an end has one")
    func nonsense() throws {
        let nvml = try #require(library(gpus: 1))
        for amounts: [UInt64] in [[.max, 0, 0], [.max, .max, .max], [100, 101, 0], [100, 0, 101]] {
            fake_nvml_memory(amounts[0], amounts[1], amounts[2])
            #expect(nvml.read().first?.memory == nil, "\(amounts)")
        }
        fake_nvml_memory(.max - 1, 0, .max - 1)
        #expect(nvml.read().first?.memory?.used == .max)
        fake_nvml_endless_name(CChar(bitPattern: UInt8(ascii: "A")))
        #expect(nvml.read().first?.name == String(repeating: "A", count: 96))
        fake_nvml_endless_name(-1)
        #expect(nvml.read().first?.name == String(repeating: "\u{FFFD}", count: 96))
    }

    @Test("a GPU that pours out errors does not hold up the reader")
    func flood() throws {
        let nvml = try #require(library(gpus: 1))
        for _ in 0..<3_000 { fake_nvml_event(0, 8, 13) }
        #expect(nvml.read().first?.xids?.count == 1_024)
        #expect(fake_nvml_events() == 3_000 - 1_024)
        #expect(nvml.read().first?.xids?.count == 2_048)
    }

    @Test("many tasks read at a time and no error is lost or counted twice")
    func together() async throws {
        let nvml = try #require(library(gpus: 2))
        for _ in 0..<2_000 { fake_nvml_event(1, 8, 13) }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 { #expect(nvml.read().count == 2) }
                }
            }
        }
        #expect(nvml.read().map { $0.xids?.count } == [0, 2_000])
    }

    @Test("the reasons for throttling have names, and a bit without one is not lost")
    func names() {
        #expect(GPUFacts.Throttling().description == "none")
        #expect(GPUFacts.Throttling(rawValue: 0x1ff).description.split(separator: ",").count == 9)
        #expect(GPUFacts.Throttling([.powerCap, .thermal]).description == "power_cap,thermal")
        #expect(GPUFacts.Throttling(rawValue: 1 << 40 | 1).description == "idle,0x10000000000")
        #expect(GPUFacts.Throttling.harmful.isDisjoint(with: [.idle, .clocksSet, .syncBoost, .displayClocks]))
    }

    @Test("what nobody accounts for bounds the fragments, and never is below nothing")
    func fragments() {
        let memory = GPUFacts.Memory(total: 1_000, used: 700, free: 300, reserved: 50)
        #expect(memory.fragmentsAtMost(accounted: 600) == 50)
        #expect(memory.fragmentsAtMost(accounted: 900) == 0)
        #expect(memory.fragmentsAtMost(accounted: .min) == 650)
        #expect(memory.fragmentsAtMost(accounted: .max) == 0)
        let old = GPUFacts.Memory(total: 1_000, used: 700, free: 300, reserved: nil)
        #expect(old.fragmentsAtMost(accounted: 600) == 100)
    }
}
