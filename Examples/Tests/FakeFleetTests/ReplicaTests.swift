import AsyncHTTPClient
import Foundation
import SpillwayTesting
import Testing

@testable import FakeFleet

@Suite(.timeLimit(.minutes(10))) struct ReplicaTests {
    @Test func `a whole answer has the asked tokens, usage and finish reason`() async throws {
        try await withFleet { fleet in
            let answer = try await fleet.chat("12345678", extra: #","max_tokens":19"#).json
            let choice = answer["choices"][0]
            #expect(choice["message"]["content"].string.split(separator: " ").count == 19)
            #expect(choice["message"]["role"] == "assistant")
            #expect(choice["finish_reason"] == "stop")
            #expect(answer["object"] == "chat.completion")
            #expect(answer["usage"] == ["prompt_tokens": 2, "completion_tokens": 19, "total_tokens": 21])
            #expect(try await fleet.chat().json["usage"]["completion_tokens"] == 128)
        }
    }

    @Test func `a stream opens with the role and ends with reason, usage and DONE`() async throws {
        try await withFleet { fleet in
            let extra = #","max_completion_tokens":19,"stream":true,"stream_options":{"include_usage":true}"#
            let response = try await fleet.chat("12345678", extra: extra)
            #expect(response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true)
            var events = try await response.events
            #expect(events.removeLast() == "[DONE]")
            var chunks = try events.map { try JSONValue(parsing: Data($0.utf8)) }
            #expect(chunks.allSatisfy { $0["object"] == "chat.completion.chunk" && $0["id"] == chunks[0]["id"] })
            let usage = chunks.removeLast()
            #expect(usage["choices"] == [])
            #expect(usage["usage"] == ["prompt_tokens": 2, "completion_tokens": 19, "total_tokens": 21])
            #expect(chunks.removeLast()["choices"][0]["finish_reason"] == "stop")
            #expect(chunks.removeFirst()["choices"][0]["delta"]["role"] == "assistant")
            let contents = chunks.map { $0["choices"][0]["delta"]["content"].string }
            #expect(contents.map { $0.split(separator: " ").count } == [1, 8, 8, 2])
            let whole = try await fleet.chat("12345678", extra: #","max_tokens":19"#).json
            #expect(contents.joined() == whole["choices"][0]["message"]["content"].string)
        }
    }

    @Test func `a stream without the option has no usage`() async throws {
        try await withFleet { fleet in
            let events = try await fleet.chat(extra: #","max_tokens":1,"stream":true"#).events
            #expect(events.count == 4)
            #expect(!events.contains { $0.contains("usage") })
        }
    }

    @Test func `message contents may be parts or null`() async throws {
        try await withFleet { fleet in
            let body = """
                {"model":"fake-7b","max_tokens":1,"messages":[{"role":"system","content":null},
                {"role":"user","content":[{"type":"text","text":"1234"},{"type":"text","text":"5678"}]}]}
                """
            let port = fleet.addresses.replicas[0]
            let answer = try await fleet.send(.POST, "v1/chat/completions", port: port, body: body).json
            #expect(answer["usage"]["prompt_tokens"] == 2)
        }
    }

    @Test func `embeddings come one per input`() async throws {
        try await withFleet { fleet in
            let port = fleet.addresses.replicas[0]
            func embed(_ input: String) async throws -> JSONValue {
                let body = #"{"model":"fake-7b","input":\#(input)}"#
                return try await fleet.send(.POST, "v1/embeddings", port: port, body: body).json
            }
            let pair = try await embed(#"["first","second"]"#)
            #expect(pair["data"].items.map { $0["index"] } == [0, 1])
            #expect(pair["data"][0]["embedding"].items.count == EmbeddingVector.dimensions)
            #expect(try await embed(#""second""#)["data"][0]["embedding"] == pair["data"][1]["embedding"])
            #expect(pair["usage"] == ["prompt_tokens": 2, "total_tokens": 2])
        }
    }

    @Test func `models, health and metrics answer`() async throws {
        try await withFleet { fleet in
            let port = fleet.addresses.replicas[0]
            #expect(try await fleet.send(.GET, "v1/models", port: port).json["data"][0]["id"] == "fake-7b")
            #expect(try await fleet.send(.GET, "health", port: port).status == .ok)
            let prompt = String(repeating: "x", count: 640)
            for _ in 0..<2 {
                _ = try await fleet.chat(prompt, extra: #","max_tokens":1"#).json
            }
            let page = try await fleet.send(.GET, "metrics", port: port).text
            let labels = #"{engine="0",model_name="fake-7b"}"#
            for line in [
                "vllm:num_requests_running\(labels) 0", "vllm:num_requests_waiting\(labels) 0",
                "vllm:kv_cache_usage_perc\(labels) 0.0", "vllm:prefix_cache_queries_total\(labels) 320",
                "vllm:prefix_cache_hits_total\(labels) 144", "vllm:num_preemptions_total\(labels) 0",
                #"vllm:cache_config_info{block_size="16",engine="0",model_name="fake-7b",num_gpu_blocks="4096"} 1"#,
            ] {
                #expect(page.contains("\n\(line)\n"), "\(line)")
            }
        }
    }

    @Test func `a fleet can serve several models, each under its name`() async throws {
        try await withFleet(["--model=small", "--model=large"]) { fleet in
            let port = fleet.addresses.replicas[0]
            let list = try await fleet.send(.GET, "v1/models", port: port).json["data"].items.map { $0["id"] }
            #expect(list == ["small", "large"])
            for model in ["small", "large"] {
                let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"x"}]}"#
                let answer = try await fleet.send(.POST, "v1/chat/completions", port: port, body: body).json
                #expect(answer["model"] == .string(model))
            }
        }
    }

    @Test func `the load is reported to those who ask`() async throws {
        try await withFleet { fleet in
            func report(_ format: String) async throws -> String? {
                let asked = try await fleet.chat(headers: ["endpoint-load-metrics-format": format])
                return asked.headers.first(name: "endpoint-load-metrics")
            }
            let names = ["kv_cache_usage_perc", "num_preemptions_total", "num_requests_waiting"]
            let text = try await report("text")
            #expect(text == "TEXT " + names.map { "named_metrics.\($0)=0" }.joined(separator: ", "))
            let json = try await report("json")
            #expect(json == #"JSON {"named_metrics":{"# + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}}")
            #expect(try await report("bin") == nil)
            #expect(try await fleet.chat().headers.first(name: "endpoint-load-metrics") == nil)
        }
        var load = EngineModel.Load()
        (load.waiting, load.kvUsage, load.preemptions) = (3, 0.4, 2)
        let expected = """
            TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_preemptions_total=2, \
            named_metrics.num_requests_waiting=3
            """
        #expect(LoadReport.report(load, format: "text") == expected)
    }

    @Test func `too few blocks preempt, and everything still completes`() async throws {
        try await withFleet(["--kv-blocks=24", "--context-limit=384", "--slots=4"]) { fleet in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let answer = try await fleet.chat(extra: #","max_tokens":300"#).json
                        #expect(answer["usage"]["completion_tokens"] == 300)
                    }
                }
                try await group.waitForAll()
            }
            let page = try await fleet.send(.GET, "metrics", port: fleet.addresses.replicas[0]).text
            #expect(!page.contains("vllm:num_preemptions_total{engine=\"0\",model_name=\"fake-7b\"} 0\n"))
        }
    }

    /// Bodies with the status, `param` and `code` they are refused with.
    static let badRequests: [(String, Int, String?, String?)] = [
        (#"{"model"#, 400, nil, nil),
        (#"[]"#, 400, nil, nil),
        (#"{"messages":[]}"#, 400, "model", nil),
        (#"{"model":"gpt","messages":[{"role":"user","content":"x"}]}"#, 404, "model", "model_not_found"),
        (#"{"model":"fake-7b"}"#, 400, "messages", nil),
        (#"{"model":"fake-7b","messages":[]}"#, 400, "messages", nil),
        (#"{"model":"fake-7b","messages":[{"content":"x"}]}"#, 400, "messages[0].role", nil),
        (#"{"model":"fake-7b","messages":[{"role":"user","content":5}]}"#, 400, "messages[0].content", nil),
        (#"{"model":"fake-7b","messages":[{"role":"user"}],"max_tokens":0}"#, 400, "max_tokens", nil),
        (#"{"model":"fake-7b","messages":[{"role":"user"}],"stream":"yes"}"#, 400, "stream", nil),
        (
            #"{"model":"fake-7b","messages":[{"role":"user"}],"max_tokens":16384}"#, 400, "messages",
            "context_length_exceeded"
        ),
    ]

    @Test(arguments: badRequests)
    func `a bad request is refused in the API's shape`(
        body: String,
        status: Int,
        param: String?,
        code: String?
    ) async throws {
        try await withFleet { fleet in
            let port = fleet.addresses.replicas[0]
            let response = try await fleet.send(.POST, "v1/chat/completions", port: port, body: body)
            #expect(response.status.code == status)
            let error = try await response.json["error"]
            #expect(!error["message"].string.isEmpty)
            #expect(error["type"] == "invalid_request_error")
            #expect(error["param"] == param.map { .string($0) } ?? .null)
            #expect(error["code"] == code.map { .string($0) } ?? .null)
        }
    }

    @Test func `a body that is too large and a path that is unknown are refused`() async throws {
        try await withFleet { fleet in
            let large = try await fleet.chat(String(repeating: "x", count: 5 << 20))
            #expect(large.status == .payloadTooLarge)
            #expect(try await large.json["error"]["code"] == "request_too_large")
            let unknown = try await fleet.send(.GET, "v2/models", port: fleet.addresses.replicas[0])
            #expect(unknown.status == .notFound)
            #expect(try await unknown.json["error"]["message"].string.contains("/v2/models"))
        }
    }
}
