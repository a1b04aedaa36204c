import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOHTTP1
import Spillway
import Testing

@testable import FakeFleet
@testable import Gateway

/// Answers that come later.
@Suite(.timeLimit(.minutes(10))) struct JobTests {
    private static let route = """
        tiers: [{ name: premium, targets: [{ upstream: r1, model: fake-7b }] }, { name: later, deferral: true }]
        """
    private static let jobs = "jobs: { workers: 2, leaseSeconds: 1 }"
    private static let policy = "{ retries: 0 }"

    /// A job as a client sees it.
    private struct Page {
        let status: UInt
        let headers: HTTPHeaders
        let json: JSONValue

        init(_ response: HTTPClientResponse) async throws {
            status = UInt(response.status.code)
            headers = response.headers
            json = try JSONValue(parsing: Data(try await response.text.utf8))
        }

        var id: String { json["id"].string }
        var state: String { json["status"].string }
        var text: String { json["response"]["choices"][0]["message"]["content"].string }
    }

    private static func poll(
        _ bench: Bench, _ id: String, headers: HTTPHeaders = [:], until state: String
    ) async throws -> Page {
        var found: Page?
        try await until {
            let page = try await Page(bench.send(.GET, "v1/jobs/\(id)", headers: headers))
            #expect(page.status == 200)
            found = page
            if page.state == state { return true }
            try #require(!["done", "failed", "expired", "cancelled"].contains(page.state), "\(page.json)")
            return false
        }
        return try #require(found)
    }

    @Test(arguments: [true, false])
    func `a call that nobody can serve is put off, and answered when somebody can`(streamed: Bool) async throws {
        try await withBench(replicas: 1, policy: Self.policy, route: Self.route, extra: Self.jobs) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error503)
            let page = try await Page(bench.chat(Bench.length + #","stream":\#(streamed)"#))
            #expect(page.status == 202 && page.json["object"] == .string("job"))
            #expect(page.headers.first(name: "location") == "/v1/jobs/\(page.id)")
            #expect(page.headers.first(name: "x-spillway-tier") == "later")
            #expect(page.headers.first(name: "x-spillway-reasons") == "premium: target_failed (overloaded)")
            try await bench.faults()
            let done = try await Self.poll(bench, page.id, until: "done")
            #expect(done.text == answer)
            #expect(done.json["served"]["tier"] == .string("premium"))
            // The tier that put the call off was not asked again.
            let counts = try #require(try await bench.gateway.jobs?.counts())
            #expect(counts.waiting == 0 && counts.running == 0 && counts.ended == 1)
            try await bench.metrics(until: #"gateway_jobs{state="ended"} 1"#)
        }
    }

    @Test func `who prefers it is answered later, once for one key`() async throws {
        try await withBench(replicas: 1, policy: Self.policy, extra: Self.jobs) { bench in
            let answer = try await bench.healthyAnswer()
            let headers: HTTPHeaders = ["prefer": "wait=5, respond-async", "idempotency-key": "k1"]
            let first = try await Page(bench.chat(Bench.length, headers: headers))
            #expect(first.status == 202 && first.headers.first(name: "preference-applied") == "respond-async")
            let again = try await Page(bench.chat(Bench.length, headers: headers))
            #expect(again.id == first.id)
            let other = try await Page(bench.chat(Bench.length, headers: ["prefer": "respond-async"]))
            #expect(other.id != first.id)
            #expect(try await Self.poll(bench, first.id, until: "done").text == answer)
            #expect(try await Self.poll(bench, other.id, until: "done").text == answer)
            #expect(try await bench.calls == [2])
            let reused = try await bench.chat(#","seed":5"#, headers: headers)
            #expect(reused.status == .unprocessableEntity)
            #expect(try await reused.apiError["code"] == "idempotency_key_reused")
        }
    }

    @Test func `events tell how a job goes, to its end`() async throws {
        try await withBench(replicas: 1, policy: Self.policy, extra: Self.jobs) { bench in
            let page = try await Page(bench.chat(Bench.length, headers: ["prefer": "respond-async"]))
            let events = try await bench.send(.GET, "v1/jobs/\(page.id)/events")
            #expect(events.headers.first(name: "content-type") == "text/event-stream; charset=utf-8")
            let text = try await events.text
            let last = try #require(text.components(separatedBy: "\n\n").dropLast().last)
            #expect(last.hasPrefix("event: job\ndata: {") && last.contains(#""status":"done""#))
            #expect(last.contains(#""response":{"#))
        }
    }

    @Test func `a job is its tenant's alone, who may cancel it`() async throws {
        try await withBench(
            replicas: 1, policy: Self.policy, route: Self.route, extra: Self.jobs + "\n" + Purse.yaml()
        ) { bench in
            try await bench.fault(.error503)
            let own: HTTPHeaders = ["authorization": "Bearer \(Purse.acme)"]
            let page = try await Page(bench.chat(Bench.length, headers: own))
            #expect(page.status == 202)
            for headers in [["authorization": "Bearer \(Purse.other)"], own] as [HTTPHeaders] {
                let isOwn = headers == own
                for (method, path) in [(.GET, ""), (.GET, "/events"), (.DELETE, "")] as [(HTTPMethod, String)] {
                    if isOwn, path == "/events" { continue }
                    let response = try await bench.send(method, "v1/jobs/\(page.id)\(path)", headers: headers)
                    #expect(response.status == (isOwn ? .ok : .notFound), "\(method) \(path)")
                    if !isOwn { #expect(try await response.apiError["code"] == "job_not_found") }
                }
            }
            #expect(try await bench.send(.GET, "v1/jobs/\(page.id)").status == .unauthorized)
            let ended = try await Page(bench.send(.GET, "v1/jobs/\(page.id)", headers: own))
            #expect(ended.state == "cancelled")
            #expect(try await bench.send(.GET, "v1/jobs/nonsense", headers: own).status == .notFound)
        }
    }

    @Test func `a job is paid for by whoever asked`() async throws {
        try await withBench(
            replicas: 1, policy: Self.policy, extra: Self.jobs + "\n" + Purse.yaml()
        ) { bench in
            let own: HTTPHeaders = ["authorization": "Bearer \(Purse.acme)", "prefer": "respond-async"]
            let page = try await Page(bench.chat(Bench.length, headers: own))
            let done = try await Self.poll(bench, page.id, headers: own, until: "done")
            let cost = done.json["served"]["cost"].string
            let spent = try await bench.books().spent("tenant:acme")
            #expect(spent?.digits == cost && cost != "0")
            try bench.balances()
        }
    }

    @Test func `a request that is wrong fails for good, and says why`() async throws {
        try await withBench(replicas: 1, policy: Self.policy, extra: Self.jobs) { bench in
            try await bench.fault(.contextLength)
            let page = try await Page(bench.chat(Bench.length, headers: ["prefer": "respond-async"]))
            let failed = try await Self.poll(bench, page.id, until: "failed")
            #expect(failed.json["error"]["code"] == .string("context_too_long"))
            #expect(failed.json["runs"] == .number(1) && !failed.json["error"]["message"].string.isEmpty)
        }
    }

    @Test func `a gateway without jobs answers at once, and knows of none`() async throws {
        try await withBench(replicas: 1) { bench in
            let answer = try await bench.chat(headers: ["prefer": "respond-async"])
            #expect(answer.status == .ok)
            let job = try await bench.send(.GET, "v1/jobs/\(JobID.random())")
            #expect(job.status == .notFound)
        }
    }
}
