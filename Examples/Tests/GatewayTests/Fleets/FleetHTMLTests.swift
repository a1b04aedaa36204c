import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Spillway
import Testing

@testable import Gateway

#if canImport(FoundationXML)
import FoundationXML
#endif

/// The page of the fleets for people.
@Suite(.timeLimit(.minutes(10))) struct FleetHTMLTests {
    @Test func `who takes HTML gets a page, and others JSON`() async throws {
        try await withFleet(
            replicas: 3, fleet: "scrapeSeconds: 0.05, capacity: { callsPerSecond: 2, startSeconds: 60 }"
        ) {
            bench in
            try await bench.fleetView { $0.members.allSatisfy { $0.load.kvUse != nil } }
            #expect(try await bench.ask("hello").status == 200)
            let browser: HTTPHeaders = ["accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]
            let response = try await bench.send(.GET, "v1/fleet", headers: browser)
            #expect(response.headers.first(name: "content-type") == "text/html; charset=utf-8")
            #expect(response.headers.first(name: "content-security-policy")?.hasPrefix("default-src 'none'") == true)
            #expect(response.headers.first(name: "vary") == "accept")
            let page = try await response.text
            #expect(XMLParser(data: Data(page.utf8)).parse())
            for text in [
                "<h1>own</h1>", "rule predicted · 3 replicas recommended (unknown), 3 there", ">gpu-1<small>127.0.0.1:",
                "<b class=\"ready\">ready</b>", " ago</small>", "http-equiv=\"refresh\"", "style=\"width:",
            ] { #expect(page.contains(text), "\(text) is not in \(page)") }
            #expect(!page.contains("<script") && !page.contains("src=") && !page.contains("http://"))
            for accept in [nil, "*/*", "application/json"] {
                let headers: HTTPHeaders = accept.map { ["accept": $0] } ?? [:]
                let response = try await bench.send(.GET, "v1/fleet", headers: headers)
                #expect(response.headers.first(name: "content-type") == "application/json")
                #expect(response.headers.first(name: "vary") == "accept")
            }
        }
    }

    @Test func `names of members cannot break the page`() throws {
        let odd = #"<b>&"'</b>"#
        let members = [
            Member(
                "g\(odd)", address: "a\(odd)", zone: "z\(odd)", model: "m\(odd)", version: ModelVersion(1, 2)),
            Member("quiet", address: "h:1"),
        ]
        let fleet = try Fleet("f", members: members, at: .zero)
        var load = EngineLoad()
        load.update(
            EngineMetrics(Array("vllm:kv_cache_usage_perc 1e300\nvllm:num_requests_waiting 2\n".utf8), at: .zero).load)
        fleet.report(load, from: "quiet")
        let now = Instant.zero.advanced(by: .seconds(3))
        let page = FleetHTML(page: FleetPage(fleets: [.init(fleet, nil, at: now)])).text
        #expect(XMLParser(data: Data(page.utf8)).parse())
        #expect(!page.contains("<b>&") && page.contains("g&lt;b&gt;&amp;&quot;"))
        for prefix in ["a", "z", "m"] { #expect(page.contains("\(prefix)&lt;b&gt;")) }
        #expect(page.contains("no health checks") && page.contains("–<i class=\"bar\"><i style=\"width:0.0%\">"))
    }
}
