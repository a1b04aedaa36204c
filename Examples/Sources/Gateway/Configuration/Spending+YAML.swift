import CostLedger
import Foundation
import Spillway

extension Configuration.Spending {
    /// Reads the fields of the file that are about money; nil when there are none.
    init?(_ fields: Fields, file: String, models: [Configuration.Model]) throws {
        guard ["tenants", "operator", "prices", "limits", "ledger"].contains(where: { fields[$0] != nil }) else {
            return nil
        }
        if let field = fields["operator"] {
            operators = try field.fields("keys").required("keys").elements().map { try KeyHash($0) }
        }
        if let field = fields["ledger"] { ledger = try Configuration.Books(field, beside: file) }
        if let field = fields["prices"] { try readPrices(field, file: file) }
        if let field = fields["limits"] { limits = try field.elements().map { try SpendLimit($0) } }
        if let field = fields["tenants"] {
            for (name, own) in try field.fields().all {
                tenants.append(try Configuration.Tenant(own, name: name))
                limits += try own.fields()["limits"]?.elements().map { try SpendLimit($0, of: .tenant(name)) } ?? []
            }
            guard !tenants.isEmpty else { throw field.fault("names no tenant") }
            let keys = tenants.flatMap(\.keys).map(\.hash)
            guard Set(keys).count == keys.count else { throw field.fault("the same key stands there twice") }
        }
        try check(fields, models)
    }

    /// What only shows when all is read.
    private func check(_ fields: Fields, _ models: [Configuration.Model]) throws {
        if !limits.isEmpty, prices == nil {
            throw (fields["limits"] ?? fields["tenants"])!.fault(
                "limits need 'prices': else nobody knows what is spent")
        }
        if let field = fields["limits"] ?? fields["tenants"] {
            try field.blame { () throws(ConfigurationError) in
                _ = try Ledger("check", Ledger.Configuration(limits: limits))
            }
        }
        if ledger.file != nil, prices == nil {
            throw fields["ledger"]!.fault("a ledger with a 'file' needs 'prices': else there is nothing to keep")
        }
        if mostOfOneCall > 16, let field = fields["limits"] ?? fields["tenants"] {
            throw field.fault("up to \(mostOfOneCall) limits would count for one call; at most 16 can")
        }
        guard let prices, unpriced == nil else { return }
        for place in models.flatMap(\.targets) where place.priced != "*" && prices.prices(of: place.priced).isEmpty {
            throw fields["prices"]!.fault(
                "there is no price for '\(place.priced)' at '\(place.upstream)'; name one under 'models', or say with "
                    + "'unpriced' what models without one cost")
        }
    }

    /// The most limits that one call meets; a scope without any is counted all the same.
    private var mostOfOneCall: Int {
        let kinds: [Scope.Kind] = [.tag, .tenant, .project, .key, .user, .session, .provider, .model]
        return kinds.reduce(0) { sum, kind in
            var own: [Scope: Int] = [:], each = 0
            for limit in limits {
                switch limit.target {
                case .each(kind): each += 1
                case .scope(let scope) where scope.kind == kind: own[scope, default: 0] += 1
                default: break
                }
            }
            return sum + max(1, each + (own.values.max() ?? 0))
        }
    }

    private mutating func readPrices(_ field: Field, file: String) throws {
        let fields = try field.fields("book", "file", "models", "unpriced")
        var book = PriceBook()
        if let own = fields["book"] { book = try own.choice(["common": .common, "none": PriceBook()]) }
        if let own = fields["file"] { book.merge(try Self.table(own, beside: file)) }
        if let own = fields["models"] {
            for (name, price) in try own.fields().all { book.set(try Price(price), for: name) }
        }
        let made = book
        try field.blame { () throws(ConfigurationError) in try made.validate() }
        prices = book
        if let own = fields["unpriced"], own.node.string != "refuse" { unpriced = try Price(own) }
    }

    /// A table of prices; a relative path starts where the configuration lies.
    private static func table(_ field: Field, beside file: String) throws -> PriceBook {
        let path = try field.text()
        let url = URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: file))
        do {
            return try PriceBook.Import(liteLLM: Data(contentsOf: url)).book
        } catch let error as MalformedJSON {
            throw field.fault("'\(path)' is no table of prices: \(error)")
        } catch {
            throw field.fault("'\(path)' cannot be read: \(error.localizedDescription)")
        }
    }
}

extension Configuration.Books {
    /// Reads the field `ledger`; a relative path starts where `configuration` lies.
    init(_ field: Field, beside configuration: String) throws {
        let fields = try field.fields(
            "assumedOutputTokens", "holdSeconds", "onLimit", "scopes", "durability", "failsOpen", "file",
            "synchronous")
        self.init()
        file = try fields["file"].map {
            URL(fileURLWithPath: try $0.text(), relativeTo: URL(fileURLWithPath: configuration)).path
        }
        synchronous = try fields["synchronous"]?.choice(["full": .full, "normal": .normal]) ?? synchronous
        if file == nil, let field = fields["durability"] ?? fields["synchronous"] ?? fields["failsOpen"] {
            throw field.fault("is for a ledger with a 'file'")
        }
        assumedOutput = try fields.count("assumedOutputTokens", in: 1...10_000_000) ?? assumedOutput
        holdLifetime = try fields.seconds("holdSeconds", atLeast: 1) ?? holdLifetime
        onLimit = try fields["onLimit"].map { try OnLimit($0) } ?? onLimit
        durability =
            try fields["durability"]?.choice(["eventual": .eventual, "settlements": .settlements, "holds": .holds])
            ?? durability
        failsOpen = try fields["failsOpen"]?.flag() ?? failsOpen
        scopes = try fields.count("scopes", in: 100...100_000_000) ?? scopes
    }
}

extension Configuration.Tenant {
    /// Reads one tenant.
    fileprivate init(_ field: Field, name: String) throws {
        let fields = try field.fields("keys", "project", "limits", "onLimit")
        // Names of projects, keys, users and sessions follow behind a stroke.
        guard (1...64).contains(name.utf8.count), !name.contains("/") else {
            throw field.fault("the name of a tenant has 1 to 64 bytes and no '/'")
        }
        self.name = name
        let list = try fields.required("keys")
        keys = try list.elements().map { element in
            guard element.node.mapping != nil else {
                let hash = try KeyHash(element)
                return (hash.short, hash)
            }
            let own = try element.fields("name", "hash")
            let label = try own.required("name")
            guard try label.text().utf8.count <= 64 else { throw label.refuse("a name of at most 64 bytes") }
            return (try label.text(), try KeyHash(own.required("hash")))
        }
        guard Set(keys.map(\.name)).count == keys.count else { throw list.fault("two keys have the same name") }
        project = try fields["project"].map { own in
            guard try own.text().utf8.count <= 120 else { throw own.refuse("a name of at most 120 bytes") }
            return try own.text()
        }
        onLimit = try fields["onLimit"].map { try OnLimit($0) }
    }
}

extension KeyHash {
    /// Reads the hash of a key.
    fileprivate init(_ field: Field) throws {
        guard let hash = KeyHash(try field.text()) else {
            // Not quoted: it may be the key itself.
            throw field.fault("must be 'sha256:' and 64 hexadecimal digits: the hash of the key, never the key itself")
        }
        self = hash
    }
}

extension OnLimit {
    /// Reads the field `onLimit`.
    fileprivate init(_ field: Field) throws {
        self = try field.choice(["finish": .finish, "cut": .cut, "allow": .allow])
    }
}

extension SpendLimit {
    private static let amounts = ["hardDollars", "softDollars", "per"]

    /// Reads a limit of a tenant.
    fileprivate init(_ field: Field, of scope: Scope) throws {
        let fields = try field.fields(in: Self.amounts)
        let (hard, soft, window) = try Self.amounts(fields, field)
        self.init(scope, hard: hard, soft: soft, per: window)
    }

    /// Reads a limit of the gateway's: `each` of a kind, or one `scope`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields(in: ["each", "scope"] + Self.amounts)
        let (hard, soft, window) = try Self.amounts(fields, field)
        switch (fields["each"], fields["scope"]) {
        case (let each?, nil):
            guard let kind = Scope.Kind(try each.text()) else {
                throw each.refuse("one of \(Scope.Kind.allCases.map(\.description).joined(separator: ", "))")
            }
            self.init(each: kind, hard: hard, soft: soft, per: window)
        case (nil, let scope?):
            self.init(try Scope(scope), hard: hard, soft: soft, per: window)
        default: throw field.fault("needs one of 'each' and 'scope'")
        }
    }

    private static func amounts(_ fields: Fields, _ field: Field) throws -> (Money?, Money?, Window) {
        let (hard, soft) = (try fields.dollars("hardDollars"), try fields.dollars("softDollars"))
        let window = try fields["per"].map { try Window($0) } ?? .month
        // Checked here already, so that the fault names the line.
        try field.blame { () throws(ConfigurationError) in
            let limit = SpendLimit(.tag("check"), hard: hard, soft: soft, per: window)
            _ = try Ledger("check", Ledger.Configuration(limits: [limit]))
        }
        return (hard, soft, window)
    }
}

extension Scope {
    /// All calls of the gateway together.
    static let gateway = Scope.tag("gateway")

    /// Reads a scope, such as `provider:openai`, or `all`.
    fileprivate init(_ field: Field) throws {
        let text = try field.text()
        let parts = text.split(separator: ":", maxSplits: 1)
        if text == "all" {
            self = .gateway
        } else if parts.count == 2, let kind = Scope.Kind(parts[0]) {
            self.init(kind, String(parts[1]))
        } else {
            throw field.refuse("'all', or a kind and a name such as 'provider:openai'")
        }
    }
}

extension Window {
    /// Reads the field `per`.
    fileprivate init(_ field: Field) throws {
        if field.node.mapping != nil {
            let fields = try field.fields("rollingSeconds", "steps")
            let seconds = try fields.required("rollingSeconds").number(in: 1...31_622_400)
            self = .rolling(.seconds(seconds), steps: try fields.count("steps", in: 1...1_000) ?? 12)
        } else {
            self = try field.choice([
                "minute": .minute, "hour": .hour, "day": .day, "week": .week, "month": .month, "year": .year,
                "total": .total,
            ])
        }
    }
}

extension Price {
    /// Reads a price.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields(
            "inputPerMillion", "outputPerMillion", "cacheReadPerMillion", "cacheWritePerMillion",
            "reasoningPerMillion", "audioInputPerMillion", "audioOutputPerMillion", "perRequest")
        guard !fields.names.isEmpty else { throw field.fault("says no price") }
        self.init(
            Rates(
                input: try fields.dollars("inputPerMillion"), output: try fields.dollars("outputPerMillion"),
                cacheRead: try fields.dollars("cacheReadPerMillion"),
                cacheWrite: try fields.dollars("cacheWritePerMillion"),
                reasoning: try fields.dollars("reasoningPerMillion"),
                audioInput: try fields.dollars("audioInputPerMillion"),
                audioOutput: try fields.dollars("audioOutputPerMillion"), request: try fields.dollars("perRequest")))
    }
}
