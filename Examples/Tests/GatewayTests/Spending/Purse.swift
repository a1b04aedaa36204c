import AsyncHTTPClient
import CostLedger
import Foundation
import NIOHTTP1
import Testing

@testable import FakeFleet
@testable import Gateway

/// Two tenants and an operator, and a dollar for every token.
enum Purse {
    static let acme = "sk-acme", other = "sk-other", root = "sk-root"

    /// The fields of the file.
    ///
    /// - Parameters:
    ///   - limits: Those of the tenant acme, as flow fields.
    ///   - more: Further fields of acme.
    ///   - all: Limits of the gateway.
    static func yaml(
        _ limits: String = "", more: String = "", all: String = "", ledger: String = "", models: [String] = ["fake-7b"]
    ) -> String {
        let prices = models.enumerated().map { index, name in
            // The first costs one dollar a token, the second two, and so on.
            "\(name): { inputPerMillion: \(index + 1)000000, outputPerMillion: \(index + 1)000000 }"
        }
        return """
            tenants:
              acme: { keys: ["\(KeyHash(of: acme).text)"]\(limits.isEmpty ? "" : ", limits: [\(limits)]")\(more) }
              other: { keys: [{ name: main, hash: "\(KeyHash(of: other).text)" }] }
            operator: { keys: ["\(KeyHash(of: root).text)"] }
            prices: { models: { \(prices.joined(separator: ", ")) } }
            ledger: { assumedOutputTokens: 200\(ledger) }
            \(all.isEmpty ? "" : "limits: [\(all)]")
            """
    }
}

/// What a client saw of an answer that it paid for.
struct Paid {
    let seen: Seen
    let text: String

    var headers: [String: String] { seen.headers }
    var cost: Money? { headers["x-spillway-cost"].flatMap { Money(dollars: $0) } }
    /// The cost at the end of a stream.
    var finalCost: Money? {
        text.firstMatch(of: /: x-spillway-cost ([0-9.]+)/).flatMap { Money(dollars: $0.1) }
    }
    var message: String { seen.error?["message"].string ?? "" }
}

/// What the operator sees.
struct Books: Decodable {
    struct Line: Decodable {
        let scope: String
        let window: String
        let spentDollars: String
        let overageDollars: String
        let heldDollars: String
        let remainingDollars: String?

        var spent: Money { Money(dollars: spentDollars)! + Money(dollars: overageDollars)! }
    }
    struct Open: Decodable {
        let holds: Int
    }
    struct Suspended: Decodable {}
    let open: Open
    let standings: [Line]
    let suspense: [Suspended]
    let storeFailure: String?

    /// What a scope has spent, in its first window.
    func spent(_ scope: String) -> Money? { standings.first { $0.scope == scope }?.spent }
}

extension Bench {
    /// Asks with a key, and reads the answer to its end.
    func pay(
        _ key: String? = Purse.acme, streamed: Bool = false, extra: String = Bench.length, headers: HTTPHeaders = [:]
    ) async throws -> Paid {
        var headers = headers
        if let key { headers.add(name: "authorization", value: "Bearer \(key)") }
        let response = try await chat(extra + #","stream":\#(streamed)"#, headers: headers)
        var copy = HTTPClientResponse()
        (copy.status, copy.headers) = (response.status, response.headers)
        let text = try await response.text
        copy.body = .bytes(.init(string: text))
        return Paid(seen: try await Seen(copy), text: text)
    }

    /// What the books say.
    func books() async throws -> Books {
        let response = try await send(.GET, "v1/ledger", headers: ["authorization": "Bearer \(Purse.root)"])
        #expect(response.status == .ok)
        return try JSONDecoder().decode(Books.self, from: Data(try await response.text.utf8))
    }

    /// The tokens that a prompt has, as the fleet counts them.
    func promptTokens() async throws -> Int {
        let body = #"{"model":"fake-7b","messages":[{"role":"user","content":"hello"}],"max_tokens":1}"#
        let text = try await send(.POST, "v1/chat/completions", port: fleet.replicas[0], body: body).text
        #expect(try await send(.POST, "control/reset", port: fleet.control).status == .ok)
        return try #require(text.firstMatch(of: /"prompt_tokens":(\d+)/).flatMap { Int($0.1) })
    }

    /// Checks that the books add up and nothing is held.
    func balances(_ location: SourceLocation = #_sourceLocation) throws {
        let ledger = try #require(gateway.treasury?.ledger)
        #expect(ledger.audit().isEmpty, sourceLocation: location)
        #expect(ledger.open.holds == 0, sourceLocation: location)
    }
}
