#if HTTPClientSupport
internal import Spillway

/// Makes the probes that a member's health asks for.
struct Prober: Sendable {
    private let fleet: Fleet
    private let member: Member
    private let configuration: FleetWatch.Configuration
    private let health: ReplicaHealth
    private let requests: WatchRequests
    private let failed: @Sendable (UpstreamError) -> Void
    private let model: ServedModel

    /// The most bytes of an answer of one token or vector.
    private static let bodyLimit = 1 << 20

    init(
        _ watch: FleetWatch, _ member: Member, _ health: ReplicaHealth, _ requests: WatchRequests,
        _ failed: @escaping @Sendable (UpstreamError) -> Void
    ) {
        fleet = watch.fleet
        configuration = watch.configuration
        self.member = member
        self.health = health
        self.requests = requests
        self.failed = failed
        model = ServedModel(member.model ?? configuration.model)
    }

    /// Probes until the task is cancelled; none is under way then.
    func run() async throws {
        let time = requests.time, bell = Doorbell()
        // Calls, people and pages of GPUs make probes due at any time.
        health.attach(bell)
        defer { health.detach(bell) }
        while !Task.isCancelled {
            let now = time.now
            guard let probe = health.beginProbe(at: now) else {
                await bell.wait(until: health.nextProbe(at: now).at, time)
                continue
            }
            do throws(UpstreamError) {
                let result = try await ask(probe, at: now)
                guard !Task.isCancelled else { return health.abandon(probe, at: time.now) }
                health.probed(probe, result, at: time.now)
            } catch {
                // The replica cannot help it.
                health.abandon(probe, at: time.now)
                if Task.isCancelled { return }
                failed(error)
                if let end = error.clientsEnd { throw end }
                try? await time.sleep(for: configuration.attention)
            }
        }
    }

    /// What the member makes of a probe.
    ///
    /// - Throws: What kept this process from asking.
    private func ask(_ probe: Probe, at now: Instant) async throws(UpstreamError) -> ProbeResult {
        do throws(UpstreamError) {
            switch probe.kind {
            case .liveness:
                try await live(probe)
                return .alive
            case .generation: return try await generate(probe, at: now)
            }
        } catch {
            if requests.isOwn(error) || Task.isCancelled { throw error }
            failed(error)
            if probe.kind == .generation { return await found(error, probe) }
            // No answer at all is that of nobody.
            return error.isTimeout ? .silent : error.found
        }
    }

    /// What a probe for a token found that failed.
    private func found(_ error: UpstreamError, _ probe: Probe) async -> ProbeResult {
        // One in use is out of it at once, whatever else is wrong. Of another it matters whether it will ever answer: a
        // machine that is gone may refuse nothing.
        guard error.isTimeout, health.phase != .ready else { return error.found }
        do throws(UpstreamError) {
            try await live(probe)
            return error.found
        } catch {
            let foundNobody = error.isTimeout || error.foundNobody
            return foundNobody && !requests.isOwn(error) ? .silent : .failed(.timeout)
        }
    }

    /// Returns when somebody answers, with whatever status below 500.
    private func live(_ probe: Probe) async throws(UpstreamError) {
        let limits = limits(probe)
        do throws(UpstreamError) {
            _ = try await requests.get(
                member.url(configuration.healthPath), head: limits.head, whole: limits.whole, upTo: Self.bodyLimit)
        } catch {
            guard let status = error.status, status < 500 else { throw error }
        }
    }

    private func generate(_ probe: Probe, at now: Instant) async throws(UpstreamError) -> ProbeResult {
        let limits = limits(probe)
        let question: [UInt8]
        do { question = try configuration.probe.question(model: model.name) } catch { throw .from(transport: error) }
        let answer: [UInt8]
        do throws(UpstreamError) {
            answer = try await requests.post(
                question, member.url(configuration.apiPath + configuration.probe.path), head: limits.head,
                whole: limits.whole, upTo: Self.bodyLimit)
        } catch {
            if model.name == nil, let status = error.status, (400..<500).contains(status) {
                try? await model.learn(
                    from: member.url(configuration.apiPath + "/models"), requests, limits: self.limits(probe),
                    upTo: Self.bodyLimit)
            }
            throw error
        }
        try configuration.probe.check(answer)
        let end = requests.time.now
        return .generated(firstToken: now.duration(to: end), kvUse: kvUse(at: end))
    }

    /// Limits that leave time to tell of the probe before it counts as lost.
    ///
    /// The client's own comes first: only it knows whether there was a connection.
    private func limits(_ probe: Probe) -> (head: Duration, whole: Duration) {
        let left = max(.zero, requests.time.now.duration(to: probe.until))
        return (min(probe.firstToken, left * 0.9), min(probe.firstToken * 1.25, left * 0.95))
    }

    /// The share of its memory in use, if the engine has said it of late.
    private func kvUse(at now: Instant) -> Double? {
        guard let load = fleet.load(of: member.name), let age = load.age(of: .kvUse, at: now),
            age <= configuration.loadFreshness
        else { return nil }
        return load.kvUse
    }
}

extension UpstreamError {
    /// Whether nothing was answered in time.
    fileprivate var isTimeout: Bool { status == nil && outcome.cause == .timeout }
}
#endif
