import Foundation
import Spillway
import SpillwayHTTPClient
import Testing

@testable import Gateway

private let models = "models:\n  m: { targets: [{ upstream: a, model: x }] }\n"

struct FleetConfigurationTests {
    private func read(_ fleet: String, _ more: String = "") throws -> Configuration {
        try Configuration(yaml: "upstreams:\n  a: { fleet: \(fleet)\(more) }\n" + models, file: "g.yaml")
    }

    @Test func `every field is read`() throws {
        let upstream = try read(
            """
            { members: ["gpu-1 10.0.0.1:8000 zone=a kv=130000", "gpu-2 10.0.0.2:8000 zone=b"], model: fake-7b,
              rule: least_outstanding, zone: a, region: eu, panic: 0.25, objectiveSeconds: 0.4, memory: 0.95,
              queueAgeSeconds: 3, scrapeSeconds: 0.5, health: { failures: 5, silences: 2,
              firstTokenSeconds: 4, dangerLine: 0.9, safeLine: 0.8, probeSeconds: 3, verifySeconds: 0.5,
              maximumSeconds: 30, startSeconds: 60, rampSeconds: 7, rampFrom: 0.2 } }
            """
        ).upstreams[0]
        #expect(upstream.url == nil && upstream.breaker == nil)
        let fleet = try #require(upstream.replicas)
        #expect(fleet.source == .list && fleet.members.map(\.name) == ["gpu-1", "gpu-2"])
        #expect(fleet.members[0].kvTokens == 130_000 && fleet.members[1].zone == "b")
        #expect(fleet.watch.model == "fake-7b" && fleet.watch.scrapes.interval == .seconds(0.5))
        #expect(fleet.choice.rule == .leastOutstanding && fleet.choice.zone == "a" && fleet.choice.panic == 0.25)
        #expect(fleet.choice.region == "eu" && fleet.choice.objective == .seconds(0.4))
        #expect(fleet.choice.memory == 0.95 && fleet.choice.queueAge == .seconds(3))
        let health = try #require(fleet.choice.health)
        #expect(health.failures == 5 && health.silences == 2 && health.firstToken == .seconds(4))
        #expect(health.dangerLine == 0.9 && health.safeLine == 0.8 && health.probeInterval == .seconds(3))
        #expect(health.verifyInterval == .seconds(0.5) && health.maximumInterval == .seconds(30))
        #expect(health.startLimit == .seconds(60) && health.ramp == .seconds(7) && health.rampFrom == 0.2)
    }

    @Test func `where and how replicas are asked is read`() throws {
        let fleet = try #require(
            read(
                """
                { members: ["g h:1 cost=2.5"], health: {}, fartherSeconds: 0.002, farthestSeconds: 0,
                  probe: embeddings, metricsPath: /prometheus, healthPath: /ping, apiPath: /openai/v1, idle: { seconds: 600, keep: 1 },
                  dcgm: { scrapeSeconds: 60, timeoutSeconds: 5, celsius: 85, xids: [79, 48] } }
                """
            ).upstreams[0].replicas)
        #expect(fleet.choice.farther == .milliseconds(2) && fleet.choice.farthest == .zero)
        let watch = fleet.watch
        #expect(watch.metricsPath == "/prometheus" && watch.healthPath == "/ping" && watch.apiPath == "/openai/v1")
        #expect(watch.probe == .embeddings && watch.absences == 3)
        #expect(watch.deviceScrapes.interval == .seconds(60) && watch.deviceScrapes.timeout == .seconds(5))
        #expect(watch.deviceLimits == DeviceLimits(xids: [48, 79], temperature: 85))
        #expect(fleet.idle == .init(span: .seconds(600), kept: 1) && fleet.members[0].costPerHour == 2.5)
        let none = try read("{ members: [\"g h:1\"], health: {}, apiPath: none, dcgm: { celsius: never, xids: none } }")
        #expect(none.upstreams[0].replicas?.watch.apiPath == "")
        #expect(none.upstreams[0].replicas?.watch.deviceLimits == DeviceLimits(xids: [], temperature: nil))
    }

    @Test func `what all members of a name have in common is read`() async throws {
        let fleet = try #require(
            read(
                """
                { dns: { host: 127.0.0.1, port: 8000, family: ipv4, zone: a, region: eu, version: 2.10, kv: 130000, window: 16384, cost: 2.5,
                         labels: { dcgm: ":9400", gpus: 0 } }, absences: 1, model: llama }
                """
            ).upstreams[0].replicas)
        #expect(fleet.source == .dns(host: "127.0.0.1", port: 8000, family: .ipv4) && fleet.watch.absences == 1)
        let members = try await #require(fleet.followed()).members()
        let member = try #require(members.first)
        #expect(member.name == "127.0.0.1:8000" && member.zone == "a" && member.region == "eu")
        #expect(member.model == "llama" && member.version == ModelVersion(2, 10))
        #expect(member.kvTokens == 130_000 && member.window == 16_384 && member.costPerHour == 2.5)
        #expect(member.labels == ["dcgm": ":9400", "gpus": "0"] && members.count == 1)
    }

    @Test func `what is not said has its default`() throws {
        let fleet = try #require(read(#"{ dns: { host: gpus.local, port: 8000 } }"#).upstreams[0].replicas)
        #expect(fleet.source == .dns(host: "gpus.local", port: 8000, family: .any) && fleet.members.isEmpty)
        #expect(fleet.choice.rule == .predicted && fleet.choice.health == nil)
        #expect(fleet.watch.model == nil && fleet.idle == nil && fleet.template.zone == nil)
        #expect(fleet.watch.scrapes.interval == .seconds(1) && fleet.watch.memberInterval == .seconds(5))
        #expect(fleet.watch.metricsPath == "/metrics" && fleet.watch.apiPath == "/v1")
        let checked = try #require(read(#"{ members: ["g h:1"], health: {} }"#, ", breaker: {}").upstreams[0].replicas)
        #expect(checked.choice.health == ReplicaHealth.Configuration())
        #expect(try read(#"{ members: ["g h:1"] }"#, ", breaker: {}").upstreams[0].breaker != nil)
    }

    @Test(
        arguments: [
            ("{ members: [\"g h:1\"] }", ", url: http://a", "upstreams.a.url", "is not for an upstream with a 'fleet'"),
            (
                "{ members: [\"g h:1\"] }", ", cooldown: {}", "upstreams.a.cooldown",
                "one replica's 429 would keep calls from all"
            ),
            ("{}", "", "upstreams.a.fleet", "one of members, file and dns"),
            ("{ members: [\"g h:1\"], file: x }", "", "upstreams.a.fleet", "one of members, file and dns"),
            ("{ members: [] }", "", "upstreams.a.fleet.members", "at least one"),
            ("{ members: [\"# none\"] }", "", "upstreams.a.fleet.members", "names no replica"),
            ("{ members: [\"g\"] }", "", "upstreams.a.fleet.members", "line 1: g has no address"),
            ("{ members: [\"g h:1\", \"g h:2\"] }", "", "upstreams.a.fleet.members", "line 2: g is in line 1"),
            ("{ members: [\"g h:1 colour=red\"] }", "", "upstreams.a.fleet.members", "there is no 'colour'"),
            ("{ members: [{ name: g }] }", "", "upstreams.a.fleet.members[0]", "a mapping is not a text"),
            ("{ file: /nowhere/at/all }", "", "upstreams.a.fleet.file", "/nowhere/at/all cannot be read"),
            ("{ dns: { host: h } }", "", "upstreams.a.fleet.dns", "'port' is missing"),
            ("{ dns: { host: h, port: 70000 } }", "", "upstreams.a.fleet.dns.port", "from 1 to 65535"),
            ("{ members: [\"g h:1\"], followSeconds: 1 }", "", "upstreams.a.fleet.followSeconds", "'file' or 'dns'"),
            ("{ members: [\"g h:1\"], absences: 1 }", "", "upstreams.a.fleet.absences", "'file' or 'dns'"),
            ("{ members: [\"g h:1\"], probe: ping }", "", "upstreams.a.fleet.probe", "chat, completions, embeddings"),
            ("{ dns: { host: h, port: 1, family: ip } }", "", "upstreams.a.fleet.dns.family", "any, ipv4, ipv6"),
            ("{ members: [\"g h:1\"], rule: best }", "", "upstreams.a.fleet.rule", "'best' is not one of predicted,"),
            (
                "{ members: [\"g h:1\"], panic: 2 }", "", "upstreams.a.fleet.panic",
                "'2' is not a number from 0.0 to 1.0"
            ),
            ("{ members: [\"g h:1\"], memory: 0 }", "", "upstreams.a.fleet.memory", "above 0"),
            ("{ dns: { host: h, port: 1 }, memory: 0 }", "", "upstreams.a.fleet.memory", "above 0"),
            ("{ dns: { host: h, port: 1, weight: 1 } }", "", "upstreams.a.fleet.dns.weight", "unknown field"),
            ("{ dns: { host: h, port: 1, kv: 0 } }", "", "upstreams.a.fleet.dns.kv", "from 1 to"),
            ("{ dns: { host: h, port: 1, version: x } }", "", "upstreams.a.fleet.dns.version", "a version"),
            ("{ dns: { host: h, port: 1, labels: { a: } } }", "", "upstreams.a.fleet.dns.labels.a", "a text"),
            (
                "{ dns: { host: h, port: 1, zone: \(String(repeating: "z", count: 201)) } }", "",
                "upstreams.a.fleet.dns.zone", "200 bytes"
            ),
            ("{ members: [\"g h:1\"], fartherSeconds: -1 }", "", "upstreams.a.fleet.fartherSeconds", "from 0.0"),
            ("{ members: [\"g h:1\"], metricsPath: metrics }", "", "upstreams.a.fleet.metricsPath", "with a slash"),
            ("{ members: [\"g h:1\"], healthPath: /a b }", "", "upstreams.a.fleet.healthPath", "visible ASCII"),
            ("{ members: [\"g h:1\"], apiPath: /v1/ }", "", "upstreams.a.fleet.apiPath", "does not end with a slash"),
            ("{ members: [\"g h:1\"], dcgm: {} }", "", "upstreams.a.fleet.dcgm", "needs 'health'"),
            (
                "{ members: [\"g h:1\"], health: {}, dcgm: { celsius: 0 } }", "", "upstreams.a.fleet.dcgm.celsius",
                "from 1.0"
            ),
            (
                "{ members: [\"g h:1\"], health: {}, dcgm: { xids: [] } }", "", "upstreams.a.fleet.dcgm.xids",
                "at least one"
            ),
            ("{ members: [\"g h:1\"], idle: {} }", "", "upstreams.a.fleet.idle", "'seconds' is missing"),
            ("{ members: [\"g h:1\"], idle: { seconds: 9, keep: 257 } }", "", "upstreams.a.fleet.idle.keep", "to 256"),
            ("{ dns: { host: h h, port: 1 } }", "", "upstreams.a.fleet.dns.host", "visible ASCII"),
            ("{ members: [\"g h:1\"], scrapeSeconds: 0 }", "", "upstreams.a.fleet.scrapeSeconds", "from 0.01 to"),
            ("{ members: [\"g h:1\"], scrapeSeconds: 3601 }", "", "upstreams.a.fleet.scrapeSeconds", "to 3600"),
            (
                "{ dns: { host: h, port: 1 }, model: \(String(repeating: "m", count: 201)) }", "",
                "upstreams.a.fleet.model", "200 bytes"
            ),
            (
                "{ members: [\(Array(1...257).map { "\"g\($0) h:1\"" }.joined(separator: ", "))] }", "",
                "upstreams.a.fleet.members", "256"
            ),
            ("{ members: [\"g h:1\"], health: }", "", "upstreams.a.fleet.health", "nothing is not a mapping"),
            ("{ members: [\"g h:1\"], health: { probes: 3 } }", "", "upstreams.a.fleet.health.probes", "unknown field"),
            (
                "{ members: [\"g h:1\"], health: { safeLine: 1, dangerLine: 0.5 } }", "",
                "upstreams.a.fleet.health.safeLine", "at most dangerLine"
            ),
            ("{ members: [\"g h:1\"], health: { failures: 101 } }", "", "upstreams.a.fleet.health.failures", "to 100"),
            ("{ members: [\"g h:1\"], health: { silences: 101 } }", "", "upstreams.a.fleet.health.silences", "to 100"),
            (
                "{ members: [\"g h:1\"], health: { verifySeconds: 20 } }", "",
                "upstreams.a.fleet.health.verifySeconds", "probeInterval"
            ),
            (
                "{ members: [\"g h:1\"], health: { probeSeconds: 9, maximumSeconds: 5 } }", "",
                "upstreams.a.fleet.health.maximumSeconds", "maximumInterval"
            ),
            ("{ members: [\"g h:1\"], health: { rampFrom: 0 } }", "", "upstreams.a.fleet.health.rampFrom", "above 0"),
            ("{ members: [\"g h:1\"], size: 3 }", "", "upstreams.a.fleet.size", "unknown field"),
        ]) func `what cannot be is refused with its path`(fleet: String, more: String, path: String, problem: String)
    {
        let fault = #expect(throws: ConfigurationFault.self) { try read(fleet, more) }
        #expect(fault?.field == path)
        #expect(fault?.problem.contains(problem) == true, "\(fault?.problem ?? "")")
        #expect(fault?.line == 2)
    }

    @Test(arguments: [(0.05, 5.0), (1, 5), (10, 24), (3_600, 7_922)])
    func `what an engine said counts until the scrape after the next`(scrape: Double, fresh: Double) throws {
        let fleet = try read("{ members: [\"g h:1\"], scrapeSeconds: \(scrape) }").upstreams[0].replicas
        let watching = try #require(fleet?.watching(served: nil, key: nil))
        #expect((watching.loadFreshness / .seconds(1)).rounded() == fresh)
        #expect(watching.scrapes.interval == .seconds(scrape))
        try watching.validate()
    }

    @Test func `a key that no header can carry is refused with its path`() throws {
        let yaml = "upstreams:\n  a: { keyEnv: KEY, fleet: { members: [\"g h:1\"] } }\n" + models
        let fault = #expect(throws: ConfigurationFault.self) {
            try Configuration(yaml: yaml, file: "g.yaml", environment: ["KEY": "two words"])
        }
        #expect(fault?.field == "upstreams.a.keyEnv" && fault?.line == 2)
        #expect(fault?.problem.contains("two words") == false)
    }

    /// Runs `body` with the place for a list of replicas, and what reads the configuration beside it.
    private func withList(_ body: (_ list: URL, _ read: () throws -> Configuration.Replicas?) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let yaml = "upstreams:\n  a: { fleet: { file: members.txt, followSeconds: 2 } }\n" + models
        let file = folder.appending(path: "g.yaml")
        try Data(yaml.utf8).write(to: file)
        try body(folder.appending(path: "members.txt")) {
            try Configuration(path: file.path, environment: [:]).upstreams[0].replicas
        }
    }

    @Test func `a file of replicas lies beside the configuration`() throws {
        try withList { list, read in
            try Data("gpu-1 10.0.0.1:8000\n".utf8).write(to: list)
            let fleet = try #require(try read())
            #expect(fleet.source == .file(list.path))
            #expect(fleet.members.map(\.name) == ["gpu-1"] && fleet.watch.memberInterval == .seconds(2))
            for text in ["", "gpu-1 10.0.0.1:80", "gpu-1 10.0.0.1:8000\ngpu-2 10.0.0.2:8"] {
                try Data(text.utf8).write(to: list)
                let fault = #expect(throws: ConfigurationFault.self) { try read() }
                #expect(fault?.field == "upstreams.a.fleet.file" && fault?.line == 2)
            }
        }
    }

    @Test func `a file of replicas is read as whoever follows it reads it`() throws {
        try withList { list, read in
            let line = "gpu-1 10.0.0.1:8000\n"
            try Data((line + "#" + String(repeating: "x", count: 1 << 20) + "\n").utf8).write(to: list)
            let large = #expect(throws: ConfigurationFault.self) { try read() }
            #expect(large?.problem.contains("larger than 1 MiB") == true)
            // More than a fleet takes: whoever follows the file leaves some out, and does not refuse it.
            try Data((1_000..<1_300).map { "g\($0) h:1\n" }.joined().utf8).write(to: list)
            #expect(try read()?.members.map(\.name) == (1_000..<1_000 + Fleet.capacity).map { "g\($0)" })
            // Nobody writes to it: whoever opens it as a file waits for ever.
            try FileManager.default.removeItem(at: list)
            #expect(mkfifo(list.path, 0o600) == 0)
            let pipe = #expect(throws: ConfigurationFault.self) { try read() }
            #expect(pipe?.field == "upstreams.a.fleet.file" && pipe?.problem.contains("no regular file") == true)
        }
    }

    @Test func `sessions are read, and those of a file without a fleet are refused`() throws {
        func sessions(_ text: String, _ upstream: String = #"fleet: { members: ["g h:1"] }"#) throws -> Configuration {
            try Configuration(
                yaml: "sessions: \(text)\nupstreams:\n  a: { \(upstream) }\n" + models, file: "/etc/g.yaml")
        }
        let own = try #require(sessions("{ file: s.sqlite, synchronous: full, keepSeconds: 600 }").sessions)
        #expect(own.file == "/etc/s.sqlite" && own.synchronous == .full && own.keeps == .seconds(600))
        let inMemory = try #require(sessions("{ most: 7 }").sessions)
        #expect(inMemory.file == nil && inMemory.most == 7 && inMemory.keeps == .seconds(86_400))
        #expect(try read(#"{ members: ["g h:1"] }"#).sessions?.file == nil)
        for (text, path, problem) in [
            ("{ file: '' }", ".file", "nothing is not a text"),
            ("{ synchronous: full }", ".synchronous", "is for sessions with a 'file'"),
            ("{ file: s, most: 7 }", ".most", "is for sessions without a 'file'"),
            ("{ keepSeconds: 0 }", ".keepSeconds", "from 1.0 to"), ("{ most: 0 }", ".most", "from 1 to 10000000"),
            ("{ ids: 3 }", ".ids", "unknown field"), ("7", "", "'7' is not a mapping of fields"),
        ] {
            let fault = #expect(throws: ConfigurationFault.self) { try sessions(text) }
            #expect(fault?.field == "sessions" + path && fault?.line == 1)
            #expect(fault?.problem.contains(problem) == true, "\(fault?.problem ?? "")")
        }
        let fault = #expect(throws: ConfigurationFault.self) { try sessions("{}", "url: \"http://a\"") }
        #expect(fault?.problem == "is for a file with an upstream that has a 'fleet'")
    }

    @Test func `the file that shows a fleet is read`() throws {
        let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path = examples.appending(path: "Data/gateway-fleet.yaml").path
        let configuration = try Configuration(path: path, environment: [:])
        #expect(configuration.upstreams[0].replicas?.members.count == 8)
        #expect(configuration.upstreams[0].replicas?.choice.health != nil)
        #expect(configuration.upstreams[0].replicas?.capacity?.plan.perReplica == 6)
        #expect(configuration.sessions?.file?.hasSuffix("/sessions.sqlite") == true)
        #expect(configuration.models[0].ladder?.tiers.count == 2)
    }
}
