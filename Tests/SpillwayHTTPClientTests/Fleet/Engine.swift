#if HTTPClientSupport
import AsyncHTTPClient
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

/// An engine over a real socket, whose answers a test changes while it runs.
final class Engine: Sendable {
    /// What it answers on each path.
    struct Ways {
        var metrics = Upstream.Answer.plain(200, [:], Page.load(waiting: 1, running: 2, kvUse: 0.25))
        var health = Upstream.Answer.plain(200)
        var chat = Upstream.Answer.plain(200, [:], Engine.token)
        var completions = Upstream.Answer.plain(404)
        var embeddings = Upstream.Answer.plain(404)
        var models = Upstream.Answer.plain(404)
        /// Whether it refuses what names no model.
        var wantsName = false
        var gpus = Upstream.Answer.plain(200, [:], Page.gpus())
    }

    static let token = #"{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"length"}]}"#
    static let noToken = #"{"choices":[]}"#

    private let ways = Locked(Ways())
    private let counts = Locked<[String: Int]>([:])
    private let server = Locked<Upstream?>(nil)
    private let isStopped = Locked(false)
    let name: String
    let port: Int

    static func start(_ name: String, _ change: (inout Ways) -> Void = { _ in }) async throws -> Engine {
        let box = Locked<Engine?>(nil)
        let upstream = try await Upstream.start { request in box.withLock { $0 }?.answer(request) ?? .plain(503) }
        let engine = Engine(name, upstream.port)
        engine.change(change)
        engine.server.withLock { $0 = upstream }
        box.withLock { $0 = engine }
        return engine
    }

    private init(_ name: String, _ port: Int) { (self.name, self.port) = (name, port) }

    private func answer(_ request: Upstream.Request) -> Upstream.Answer {
        // One that was accepted just before it stopped.
        if isStopped.withLock({ $0 }) { return .reset }
        counts.withLock { $0[request.head.uri, default: 0] += 1 }
        return ways.withLock { ways in
            switch request.head.uri {
            case "/metrics", "/prometheus/metrics": ways.metrics
            case "/health": ways.health
            case "/v1/chat/completions":
                ways.wantsName && !request.body.contains(#""model":"#) ? .plain(400) : ways.chat
            case "/v1/models": ways.models
            case "/v1/completions": ways.completions
            case "/v1/embeddings": ways.embeddings
            case "/gpus": ways.gpus
            default: .plain(404)
            }
        }
    }

    /// Changes what it answers from now on.
    func change(_ change: (inout Ways) -> Void) { ways.withLock(change) }

    /// Answers nothing any more, as a process that was stopped.
    func freeze() { change { ways in (ways.metrics, ways.health, ways.chat) = (.silence, .silence, .silence) } }

    /// How often it was asked on this path.
    func count(_ path: String) -> Int { counts.withLock { $0[path] ?? 0 } }

    var requests: [Upstream.Request] { upstream?.requests ?? [] }
    var open: Int { upstream?.open ?? 0 }

    private var upstream: Upstream? { server.withLock { $0 } }

    /// Refuses connections, and breaks off those that there are.
    func stop() async throws {
        isStopped.withLock { $0 = true }
        try await upstream?.stop()
        await upstream?.cut()
    }

    /// Listens again where it did.
    func restart() async throws {
        let upstream = try await Upstream.start(port: port) { [weak self] in self?.answer($0) ?? .plain(503) }
        server.withLock { $0 = upstream }
        isStopped.withLock { $0 = false }
    }

    /// It as a member.
    func member(_ model: String? = nil, _ labels: [String: String] = [:]) -> Member {
        Member(name, address: "127.0.0.1:\(port)", model: model, labels: labels)
    }
}

/// Pages that engines and exporters show.
enum Page {
    static func load(waiting: Int, running: Int, kvUse: Double, model: String = "m") -> String {
        """
        # HELP vllm:num_requests_waiting Number of requests waiting to be processed.
        # TYPE vllm:num_requests_waiting gauge
        vllm:num_requests_waiting{engine="0",model_name="\(model)"} \(waiting)
        vllm:num_requests_running{engine="0",model_name="\(model)"} \(running)
        vllm:kv_cache_usage_perc{engine="0",model_name="\(model)"} \(kvUse)

        """
    }

    static func gpus(xid: Int = 0, on sick: Int = 0) -> String {
        (0..<2).map { gpu in
            #"DCGM_FI_DEV_XID_ERRORS{gpu="\#(gpu)",UUID="GPU-\#(gpu)"} \#(gpu == sick ? xid : 0)"# + "\n"
        }.joined()
    }
}
#endif
