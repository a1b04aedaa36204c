import Foundation
import NIOCore
import Testing

@testable import FakeFleet
@testable import Gateway

@Suite(.timeLimit(.minutes(10))) struct RequestTests {
    @Test func `bad requests are refused and no upstream is asked`() async throws {
        try await withBench(replicas: 1, server: "{ maxBodyBytes: 200 }") { bench in
            let long = String(repeating: "x", count: 201)
            for (body, status, param) in [
                ("no JSON", 400, nil), ("[1]", 400, nil), (#"{"messages":[]}"#, 400, "model"),
                (#"{"model":5,"messages":[]}"#, 400, "model"), (#"{"model":"chat"}"#, 400, "messages"),
                (#"{"model":"chat","messages":"hi"}"#, 400, "messages"),
                (#"{"model":"chat","messages":[{}],"stream":"yes"}"#, 400, "stream"),
                (#"{"model":"other","messages":[{}]}"#, 404, "model"), (long, 413, nil),
            ] as [(String, UInt, String?)] {
                let response = try await bench.send(.POST, "v1/chat/completions", body: body)
                #expect(response.status.code == status, "\(body)")
                #expect(try await response.apiError["param"] == param, "\(body)")
            }
            let embeddings = try await bench.send(.POST, "v1/embeddings", body: #"{"model":"chat","input":5}"#)
            #expect(try await embeddings.apiError["param"] == "input")
            let unknown = try await bench.send(.GET, "v1/nothing")
            #expect(unknown.status == .notFound)
            #expect(try await !unknown.apiError.isEmpty)
            #expect(try await bench.calls == [0])
            try await bench.metrics(until: #"{model="",outcome="refused",reason="unknown_model"} 1"#)
        }
    }

    @Test func `only the model's name is replaced`() throws {
        let text =
            #"{"model":"chat","messages":[{"role":"user","content":"a/b \u00e9"}],"seed":12345678901234567,"#
            + #""temperature":0.1,"unknown":{"deep":[null,true,1.5]}}"#
        let request = try ModelRequest(ByteBuffer(string: text), kind: .chat)
        #expect(try request.body(asking: "*") == ByteBuffer(string: text))
        let body = try request.body(asking: "fake-7b")
        var fields = try Self.fields(Data(body.readableBytesView))
        #expect(fields["model"] as? String == "fake-7b")
        fields["model"] = "chat"
        #expect(NSDictionary(dictionary: fields) == NSDictionary(dictionary: try Self.fields(Data(text.utf8))))
    }

    @Test(
        arguments: [
            ("", ["max_tokens": 50]), (#","max_tokens":200"#, ["max_tokens": 50]),
            (#","max_tokens":20"#, ["max_tokens": 20]),
            (#","max_completion_tokens":200"#, ["max_completion_tokens": 50]),
            (
                #","max_tokens":20,"max_completion_tokens":90"#, ["max_tokens": 20, "max_completion_tokens": 50]
            ), (#","max_tokens":null"#, ["max_tokens": 50]), (#","max_tokens":200,"n":5"#, ["max_tokens": 10]),
        ] as [(String, [String: Int])])
    func `a limit on the length of answers is lowered, never raised`(extra: String, limits: [String: Int]) throws {
        let text = #"{"model":"chat","messages":[{"role":"user","content":"hi"}]\#(extra)}"#
        let request = try ModelRequest(ByteBuffer(string: text), kind: .chat)
        let body = try request.body(asking: "*", limitedTo: 50)
        let fields = try Self.fields(Data(body.readableBytesView))
        for name in ["max_tokens", "max_completion_tokens"] { #expect(fields[name] as? Int == limits[name]) }
        #expect(try request.body(asking: "*") == ByteBuffer(string: text))
    }

    @Test func `the length of embeddings has no limit`() throws {
        let text = #"{"model":"chat","input":"a"}"#
        let request = try ModelRequest(ByteBuffer(string: text), kind: .embeddings)
        #expect(try request.body(asking: "*", limitedTo: 50) == ByteBuffer(string: text))
    }

    private static func fields(_ data: Data) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `models are listed and embeddings pass`() async throws {
        try await withBench(replicas: 1) { bench in
            #expect(try await bench.send(.GET, "v1/models").text.contains(#""id":"chat""#))
            let body = #"{"model":"chat","input":["a","b"]}"#
            let response = try await bench.send(.POST, "v1/embeddings", body: body)
            #expect(response.status == .ok)
            #expect(response.headers.first(name: "x-spillway-upstream") == "r1")
            #expect(try await response.text.contains(#""embedding""#))
        }
    }

    @Test func `a tenant is charged once for a request`() async throws {
        let limit = "tenantLimit: { perMinute: 0.001, burst: 2, header: x-tenant }"
        try await withBench(policy: "{ retries: 3, backoff: { kind: none }, \(limit) }") { bench in
            try await bench.fault(.error503)
            for expected in [200, 200, 429] {
                let response = try await bench.chat(headers: ["x-tenant": "acme"])
                #expect(Int(response.status.code) == expected)
                #expect(response.headers.contains(name: "retry-after") == (expected == 429))
            }
            #expect(try await bench.chat(headers: ["x-tenant": "other"]).status == .ok)
        }
    }
}
