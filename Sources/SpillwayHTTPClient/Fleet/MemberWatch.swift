#if HTTPClientSupport
internal import AsyncHTTPClient
internal import Spillway

/// Watches one member: its load, its health and its GPUs, each at a pace of its own.
struct MemberWatch: Sendable {
    private let watch: FleetWatch
    private let client: HTTPClient
    private let watched: FleetWatch.Watched

    init(_ watch: FleetWatch, _ client: HTTPClient, _ watched: FleetWatch.Watched) {
        self.watch = watch
        self.client = client
        self.watched = watched
    }

    /// Watches until it is stopped, or the task is cancelled.
    func run() async throws {
        watched.health?.attach(watch.trouble)
        defer { watched.health?.detach(watch.trouble) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in watched.stopped {} }
            if let health = watched.health {
                group.addTask {
                    try await Prober(watch, member, health, requests(for: member.url("/")), failed(.probe))
                        .run()
                }
            }
            // Nobody chooses one that leaves, and what it says of its load would be taken for that of a new one of its name.
            if !watched.isLeaving {
                group.addTask { try await loads.run() }
                if let devices { group.addTask { try await devices.run() } }
            }
            defer { group.cancelAll() }
            // None of them ends before it is to end.
            try await group.next()
        }
        // Nobody else would take back what its page of GPUs had said; and only now it says no more.
        let now = watch.fleet.members.first { $0.name == member.name }
        if let now, member.labels[DeviceReader.label] != nil, now.labels[DeviceReader.label] == nil {
            watched.health?.lift(.device, at: watch.time.now)
        }
    }

    private var member: Member { watched.member }
    private var configuration: FleetWatch.Configuration { watch.configuration }

    /// Asks for `url`; what is elsewhere is not the engine's, and is not told its key.
    private func requests(for url: String) -> WatchRequests {
        WatchRequests(
            client: client, isShared: watch.client != nil, time: watch.time,
            apiKey: member.isAtAddress(url) ? configuration.apiKey : nil)
    }

    private func failed(_ question: FleetWatch.Question) -> @Sendable (UpstreamError) -> Void {
        { [observe = configuration.observe, name = member.name] in observe?(.failed(question, member: name, $0)) }
    }

    private var loads: PageReader<EngineLoad> {
        let url = member.page("metrics", path: configuration.metricsPath) ?? member.url(configuration.metricsPath)
        return PageReader(
            url: url, pace: configuration.scrapes, limit: configuration.pageLimit,
            requests: requests(for: url),
            random: watch.random,
            read: { [model = member.model] page, asked throws(UpstreamError) in
                let load = EngineMetrics(page, model: model, at: asked).load
                guard !load.isEmpty else {
                    let whose = model.map { " of the model '\($0)'" } ?? ""
                    throw .malformed("the page of metrics says nothing of the load\(whose)")
                }
                return load
            }, use: { [fleet = watch.fleet, name = member.name] in fleet.report($0, from: name) },
            failed: failed(.metrics))
    }

    private var devices: PageReader<DeviceVeto?>? {
        guard let health = watched.health, let url = member.page(DeviceReader.label, path: "/metrics") else {
            return nil
        }
        let reader = DeviceReader(member, configuration.deviceLimits, health, watch.time)
        return PageReader(
            url: url, pace: configuration.deviceScrapes, limit: configuration.pageLimit,
            requests: requests(for: url), random: watch.random, read: reader.read, use: reader.use,
            failed: failed(.devices))
    }
}
#endif
