internal import CSpillway
internal import SpillwayCore

/// Counts the Xid errors of the GPUs: the library tells each once, to who asks first, and none from before it was watched.
struct XIDWatch: @unchecked Sendable {
    private struct Watched {
        let device: UnsafeMutableRawPointer
        let uuid: String?
        var seen: GPUFacts.XIDs
    }

    private let functions: UnsafePointer<spw_nvml>
    private let events: UnsafeMutableRawPointer
    private let watched: Counts

    // `Locked` cannot be copied.
    private final class Counts: Sendable {
        let gpus: Locked<[Watched]>
        init(_ gpus: [Watched]) { self.gpus = Locked(gpus) }
    }

    /// Watches every GPU that can be watched; nil when none can.
    init?(_ functions: UnsafePointer<spw_nvml>) {
        var set: UnsafeMutableRawPointer?
        guard spw_nvml_make_events(functions, &set) == SPW_NVML_SUCCESS, let set else { return nil }
        let gpus = NVMLDevice.all(functions).compactMap { device -> Watched? in
            var device = device
            guard let handle = device.handle, spw_nvml_watch(functions, handle, set) == SPW_NVML_SUCCESS else {
                return nil
            }
            return Watched(device: handle, uuid: device.uuid, seen: GPUFacts.XIDs(count: 0, last: nil))
        }
        guard !gpus.isEmpty else { return nil }
        self.functions = functions
        events = set
        watched = Counts(gpus)
    }

    /// Takes what has happened since; at most so many, so that a GPU that does nothing else cannot hold up the caller.
    func collect(atMost most: Int = 1_024) {
        for _ in 0..<most {
            var event = spw_nvml_event()
            guard spw_nvml_next_event(functions, events, &event) == SPW_NVML_SUCCESS else { return }
            guard event.type & UInt64(SPW_NVML_XID) != 0, let handle = event.device else { continue }
            // Only where the library has more than one handle for a GPU; it is asked before the lock is taken.
            var device = NVMLDevice(functions, index: 0, handle: handle)
            let uuid = device.uuid
            watched.gpus.withLock { gpus in
                let index =
                    gpus.firstIndex { $0.device == handle } ?? gpus.firstIndex { $0.uuid != nil && $0.uuid == uuid }
                guard let index else { return }
                let seen = gpus[index].seen
                gpus[index].seen = GPUFacts.XIDs(count: seen.count + 1, last: Int(clamping: event.data))
            }
        }
    }

    /// What was counted of a GPU; nil when it is not watched.
    func seen(_ handle: UnsafeMutableRawPointer) -> GPUFacts.XIDs? {
        watched.gpus.withLock { gpus in gpus.first { $0.device == handle }?.seen }
    }
}
