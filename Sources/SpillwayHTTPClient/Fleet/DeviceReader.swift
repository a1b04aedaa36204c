#if HTTPClientSupport
internal import Spillway

/// Keeps a member out of use while the page of its GPUs says that one of them is sick.
struct DeviceReader: Sendable {
    /// The label of a member that says where its page is.
    static let label = "dcgm"

    private let gpus: Set<String>?
    private let limits: DeviceLimits
    private let health: ReplicaHealth
    private let time: any TimeSource

    init(_ member: Member, _ limits: DeviceLimits, _ health: ReplicaHealth, _ time: any TimeSource) {
        let names = member.labels["gpus"]?.split { $0 == "," || $0.isWhitespace }.map(String.init) ?? []
        gpus = names.isEmpty ? nil : Set(names)
        self.limits = limits
        self.health = health
        self.time = time
    }

    /// What a page says; a veto, or none of the GPUs that matter is sick.
    @Sendable
    func read(_ page: [UInt8], _ asked: Instant) throws(UpstreamError) -> DeviceVeto? {
        let metrics = DeviceMetrics(page, at: asked)
        if let veto = metrics.veto(limits, gpus: gpus) { return veto }
        guard !metrics.devices.isEmpty else { throw .malformed("the page says nothing of GPUs") }
        let there = Set(metrics.devices.flatMap { [$0.uuid, $0.index] })
        // One that has fallen off the bus may not be on the page at all: that is no news of its being well.
        if let lost = gpus?.sorted().first(where: { !there.contains($0) }) {
            throw .malformed("the page says nothing of the GPU '\(lost)'")
        }
        return nil
    }

    /// Acts on it.
    @Sendable
    func use(_ veto: DeviceVeto?) {
        if let veto {
            health.veto(HealthVeto(.device, "\(veto)"), at: time.now)
        } else {
            health.lift(.device, at: time.now)
        }
    }
}
#endif
