import CostLedger
import Spillway
import Testing

@testable import Gateway

private let start = """
    upstreams: { a: { url: http://a } }
    models: { m: { targets: [{ upstream: a, model: x }] }, "*": { targets: [{ upstream: a, model: "*" }] } }

    """
private let hash = KeyHash(of: "k").text
private let prices = "prices: { models: { x: { inputPerMillion: 0.1 } } }\n"

struct SpendingConfigurationTests {
    private func spending(_ yaml: String) throws -> Configuration.Spending? {
        try Configuration(yaml: start + yaml, file: "g.yaml").spending
    }

    @Test func `without any of its fields nobody asks for money`() throws {
        #expect(try spending("") == nil)
    }

    @Test func `every field is read, and amounts to the last digit`() throws {
        let spending = try #require(
            try spending(
                """
                operator: { keys: ["\(KeyHash(of: "root").text)"] }
                prices:
                  book: common
                  models:
                    x: { inputPerMillion: 0.10, outputPerMillion: 0.300000001, cacheReadPerMillion: 1e-3 }
                  unpriced: { inputPerMillion: 7, outputPerMillion: 8 }
                limits:
                  - { each: session, hardDollars: 2, per: { rollingSeconds: 600, steps: 6 } }
                  - { scope: "provider:a", hardDollars: 9007199254.740993, per: day }
                  - { scope: all, softDollars: 0.000000001 }
                tenants:
                  acme:
                    keys: ["\(hash)", { name: ci, hash: "\(KeyHash(of: "ci").text)" }]
                    project: bot
                    limits: [{ hardDollars: 100, softDollars: 80, per: month }, { hardDollars: 9.99, per: total }]
                    onLimit: cut
                ledger: { assumedOutputTokens: 100, holdSeconds: 60, onLimit: allow, scopes: 1000 }
                """))
        let price = try #require(spending.prices?.price(of: "x", at: 0))
        #expect(price.rates()?[.input] == .cents(10))
        #expect(price.rates()?[.output] == Money(nanodollars: 300_000_001))
        #expect(price.rates()?[.cacheRead] == Money(nanodollars: 1_000_000))
        #expect(spending.prices?.price(of: "gpt-4o", at: 0) != nil)
        #expect(spending.unpriced?.rates()?[.output] == .dollars(8))
        #expect(
            spending.limits == [
                SpendLimit(each: .session, hard: .dollars(2), per: .rolling(.seconds(600), steps: 6)),
                // Not a number that a `Double` has.
                SpendLimit(.provider("a"), hard: Money(nanodollars: 9_007_199_254_740_993_000), per: .day),
                SpendLimit(.tag("gateway"), hard: nil, soft: Money(nanodollars: 1)),
                SpendLimit(.tenant("acme"), hard: .dollars(100), soft: .dollars(80)),
                SpendLimit(.tenant("acme"), hard: .cents(999), per: .total),
            ])
        let tenant = spending.tenants[0]
        #expect(tenant.name == "acme" && tenant.project == "bot" && tenant.onLimit == .cut)
        #expect(tenant.keys.map(\.name) == [KeyHash(of: "k").short, "ci"])
        #expect(spending.operators == [KeyHash(of: "root")])
        #expect(spending.ledger.assumedOutput == 100 && spending.ledger.scopes == 1_000)
        #expect(spending.ledger.holdLifetime == .seconds(60) && spending.ledger.onLimit == .allow)
    }

    @Test(
        arguments: [
            ("tenants: {}\n", "tenants", "names no tenant"),
            ("tenants: { a: {} }\n", "tenants.a", "'keys' is missing"),
            ("tenants: { a/b: { keys: [\"\(hash)\"] } }\n", "tenants.a/b", "no '/'"),
            ("tenants: { a: { keys: [secret] } }\n", "tenants.a.keys[0]", "the hash of the key, never the key itself"),
            ("tenants: { a: { keys: [\"\(hash)\", \"\(hash)\"] } }\n", "tenants.a.keys", "the same name"),
            (
                "tenants: { a: { keys: [\"\(hash)\"] }, b: { keys: [\"\(hash)\"] } }\n", "tenants",
                "the same key stands there twice"
            ),
            ("tenants: { a: { keys: [\"\(hash)\"], onLimit: stop } }\n", "tenants.a.onLimit", "finish, cut, allow"),
            ("limits: [{ each: tenant, hardDollars: 1 }]\n", "limits", "limits need 'prices'"),
            (
                prices + "limits: [{ each: person, hardDollars: 1 }]\n", "limits[0].each",
                "'person' is not one of tenant"
            ),
            (prices + "limits: [{ hardDollars: 1 }]\n", "limits[0]", "needs one of 'each' and 'scope'"),
            (prices + "limits: [{ scope: acme, hardDollars: 1 }]\n", "limits[0].scope", "a kind and a name"),
            (
                prices + "limits: [{ each: tenant, hardDollars: -1 }]\n", "limits[0].hardDollars",
                "'-1' is not an amount"
            ),
            (
                prices + "limits: [{ each: tenant, hardDollars: 0.0000000001 }]\n", "limits[0].hardDollars",
                "is not an amount"
            ),
            (prices + "limits: [{ each: tenant, hardDollars: much }]\n", "limits[0].hardDollars", "is not an amount"),
            (
                prices + "limits: [{ each: tenant, hardDollars: 1, softDollars: 2 }]\n", "limits[0]",
                "at most the hard limit"
            ),
            (prices + "limits: [{ each: tenant }]\n", "limits[0]", "hard is nil, and soft too"),
            (
                prices + "limits: [{ each: tenant, hardDollars: 1, per: decade }]\n", "limits[0].per",
                "'decade' is not one of"
            ),
            ("prices: { models: { y: { inputPerMillion: 1 } } }\n", "prices", "there is no price for 'x' at 'a'"),
            ("prices: { models: { x: {} } }\n", "prices.models.x", "says no price"),
            ("prices: { models: { x: { inputPerMillion: 2e9 } } }\n", "prices", "per million"),
            ("prices: { file: nowhere.json }\n", "prices.file", "'nowhere.json' cannot be read"),
            ("prices: { book: old }\n", "prices.book", "'old' is not one of common, none"),
            ("operator: { keys: [] }\n", "operator.keys", "a list of at least one element"),
            ("ledger: { disk: x }\n", "ledger.disk", "unknown field"),
            ("ledger: { file: l.sqlite }\n", "ledger", "needs 'prices'"),
            (prices + "ledger: { durability: holds }\n", "ledger.durability", "is for a ledger with a 'file'"),
        ])
    func `a fault says where it is`(yaml: String, field: String, problem: String) throws {
        let error = #expect(throws: ConfigurationFault.self) { try spending(yaml) }
        let fault = try #require(error)
        #expect(fault.field == field, "\(fault)")
        #expect(fault.problem.contains(problem), "\(fault)")
        #expect(!fault.problem.contains("secret"))
        #expect(fault.line != nil)
    }

    @Test func `no more limits may bind one call than a hold can touch`() throws {
        let kinds = ["tenant", "key", "user", "session"]
        let limits = kinds.flatMap { kind in
            ["day", "week", "month", "year"].map { "  - { each: \(kind), hardDollars: 1, per: \($0) }\n" }
        }
        let error = #expect(throws: ConfigurationFault.self) { try spending(prices + "limits:\n" + limits.joined()) }
        #expect(error?.problem.contains("at most 16 can") == true)
    }
}
