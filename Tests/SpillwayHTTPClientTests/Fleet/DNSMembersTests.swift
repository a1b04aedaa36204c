#if HTTPClientSupport
import Spillway
import Testing

@testable import SpillwayHTTPClient

@Suite("Members behind a name of DNS", .timeLimit(.minutes(10)))
struct DNSMembersTests {
    @Test("every address of a name is a member, sorted, once, and like the template")
    func addresses() async throws {
        var template = Member(
            "ignored", address: "ignored", zone: "a", model: "llama", version: ModelVersion("2.3.1"), weight: 0.5,
            labels: ["dcgm": ":9400"])
        (template.kvTokens, template.window) = (500_000, 8_192)
        let source = try DNSMembers("gpus.internal", port: 8_000, template: template) { host in
            #expect(host == "gpus.internal")
            return ["10.0.0.2", "10.0.0.1", "fd00::1", "10.0.0.2"]
        }
        let members = try await source.members()
        #expect(members.map(\.name) == ["10.0.0.1:8000", "10.0.0.2:8000", "[fd00::1]:8000"])
        for member in members {
            #expect(member.address == member.name && member.zone == "a" && member.model == "llama")
            #expect(member.version == template.version && member.weight == 0.5 && member.labels == template.labels)
            #expect(member.kvTokens == 500_000 && member.window == 8_192)
            try member.validate()
        }
    }

    @Test("an address that counts on one link alone is no member")
    func linkLocal() async throws {
        let source = try DNSMembers("gpu", port: 1) { _ in ["fe80::1%eth0", "10.0.0.1"] }
        #expect(try await source.members().map(\.name) == ["10.0.0.1:1"])
        let none = try DNSMembers("gpu", port: 1) { _ in ["fe80::1%eth0"] }
        await #expect(throws: UnresolvedHost(host: "gpu", reason: "it has no address")) { try await none.members() }
    }

    @Test("a name without an address is an error")
    func none() async throws {
        let source = try DNSMembers("gpus.internal", port: 8_000) { _ in [] }
        await #expect(throws: UnresolvedHost(host: "gpus.internal", reason: "it has no address")) {
            try await source.members()
        }
        for (host, port) in [("", 1), ("a b", 1), ("gpu", 0), ("gpu", 65_536)] {
            #expect(throws: ConfigurationError.self) { try DNSMembers(host, port: port) }
        }
    }

    @Test("of one family there are only its addresses, and addresses themselves are in one")
    func families() async throws {
        func names(_ host: String, _ family: DNSMembers.Family) async throws -> [String] {
            try await DNSMembers(host, port: 80, family: family).members().map(\.name)
        }
        #expect(try await names("localhost", .ipv4) == ["127.0.0.1:80"])
        #expect(try await names("127.0.0.1", .ipv4) == ["127.0.0.1:80"])
        // This machine need not have such an address itself.
        #expect(try await names("fd00::1", .any) == ["[fd00::1]:80"])
        #expect(try await names("fd00::1", .ipv6) == ["[fd00::1]:80"])
        await #expect(throws: UnresolvedHost.self) { try await names("::1", .ipv4) }
        await #expect(throws: UnresolvedHost.self) { try await names("127.0.0.1", .ipv6) }
        await #expect(throws: UnresolvedHost.self) { try await names("fe80::1%lo", .any) }
    }

    @Test("the system resolves names and addresses")
    func system() async throws {
        #expect(try await DNSMembers("127.0.0.1", port: 80).members().map(\.name) == ["127.0.0.1:80"])
        #expect(try await DNSMembers("::1", port: 80).members().map(\.name) == ["[::1]:80"])
        let local = try await DNSMembers("localhost", port: 80).members()
        #expect(local.contains { ["127.0.0.1:80", "[::1]:80"].contains($0.address) })
        // No label of a name may be so long: nobody is asked.
        let error = await #expect(throws: UnresolvedHost.self) {
            try await DNSMembers(String(repeating: "a", count: 80), port: 80).members()
        }
        #expect(error?.reason.isEmpty == false)
    }
}
#endif
