#if HTTPClientSupport
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("What probes of a fleet ask for", .timeLimit(.minutes(10)))
struct FleetEndpointTests {
    private static let vector =
        #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-0.2]}],"model":"m"}"#
    private static let text = #"{"choices":[{"text":" there","finish_reason":"length"}]}"#

    /// A replica is ready while its answers are `good`, and out of use while they are one of `bad`; nothing else is asked for.
    private func check(
        _ endpoint: FleetWatch.Endpoint, at path: String, asked: String, good: String, bad: [Upstream.Answer],
        _ set: @escaping @Sendable (inout Engine.Ways, Upstream.Answer) -> Void
    ) async throws {
        let engine = try await Engine.start("engine")
        engine.change {
            // What models of this kind cannot do.
            $0.chat = .plain(404)
            set(&$0, .plain(200, [:], good))
        }
        try await Watching.run([engine.member("m")], { $0.probe = endpoint }) { watching in
            for answer in bad {
                try await until { watching.phase(of: "engine") == .ready }
                engine.change { set(&$0, answer) }
                try await until { watching.phase(of: "engine") == .degraded }
                engine.change { set(&$0, .plain(200, [:], good)) }
            }
            try await until { watching.phase(of: "engine") == .ready }
        }
        let requests = engine.requests.filter { $0.head.method == .POST }
        #expect(requests.allSatisfy { $0.head.uri == path && $0.body.contains(#""model":"m""#) })
        #expect(requests.allSatisfy { $0.body.contains(asked) })
        try await engine.stop()
    }

    @Test("of embedding models a vector, which is one and not nothing")
    func embeddings() async throws {
        let bad = [
            #"{"data":[]}"#, #"{"data":[{"index":0,"embedding":[]}]}"#, #"{"data":[{"index":0,"embedding":[0,0.0]}]}"#,
            #"{"data":[{"index":0,"embedding":[null,0.1]}]}"#, #"{"data":[{"index":1,"embedding":[0.1]}]}"#,
            #"{"data":[{"index":0,"embedding":[0.1]},{"index":1,"embedding":[0.1]}]}"#, Engine.token,
            #"{"error":{"message":"out of memory","code":500}}"#,
        ].map { Upstream.Answer.plain(200, [:], $0) }
        try await check(
            .embeddings, at: "/v1/embeddings", asked: #""input":["Hi"]"#, good: Self.vector, bad: bad + [.plain(500)]
        ) { $0.embeddings = $1 }
    }

    @Test("of the first model that the engine lists, where none is named and it wants one")
    func unnamed() async throws {
        let engine = try await Engine.start("engine") {
            $0.wantsName = true
            $0.models = .plain(200, [:], #"{"object":"list","data":[{"id":"llama","object":"model"},{"id":"lora"}]}"#)
        }
        try await Watching.run([engine.member()]) { watching in
            try await until { watching.phase(of: "engine") == .ready }
        }
        #expect(engine.count("/v1/models") == 1)
        #expect(engine.requests.last { $0.head.method == .POST }?.body.contains(#""model":"llama""#) == true)
        try await engine.stop()
    }

    @Test(
        "addresses that no request can be sent to are refused",
        arguments: [
            "an:address::x", "ftp://gpu-1:8000", "http://", "http://gpu-1:8000?x=1", "http://me:secret@gpu-1:8000",
            ":8000",
            "gpu-1:port",
        ])
    func addresses(address: String) throws {
        #expect(throws: ConfigurationError.self) { try Member("gpu-1", address: address).validateURL() }
        let fleet = try Fleet("own", members: [Member("gpu-1", address: address)], at: .zero)
        #expect(throws: ConfigurationError.self) { try FleetWatch(fleet) }
    }

    @Test(
        "those that one can be sent to are not",
        arguments: [
            "gpu-1", "gpu-1:8000", "10.0.0.1:8000/base", "[fd00::1]:8000", "http://gpu-1:8000/base/",
            "https://gpu-1.example",
        ])
    func goodAddresses(address: String) throws { try Member("gpu-1", address: address).validateURL() }

    @Test("of models without chats a token of text")
    func completions() async throws {
        let bad = [
            Engine.noToken, Engine.token,
            #"{"choices":[{"text":""}],"usage":{"prompt_tokens":1,"completion_tokens":0}}"#,
        ].map { Upstream.Answer.plain(200, [:], $0) }
        try await check(
            .completions, at: "/v1/completions", asked: #""max_tokens":1"#, good: Self.text, bad: bad + [.plain(500)]
        ) { $0.completions = $1 }
    }
}
#endif
