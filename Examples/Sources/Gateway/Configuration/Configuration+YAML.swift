import Foundation
import Spillway
import SpillwayHTTPClient
import Yams

extension Configuration {
    /// Reads a file.
    ///
    /// - Throws: ``ConfigurationFault`` with the line and the field.
    init(path: String, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ConfigurationFault(
                file: path, line: nil, field: "", problem: "cannot be read: \(error.localizedDescription)")
        }
        try self.init(yaml: String(decoding: data, as: UTF8.self), file: path, environment: environment)
    }

    /// Reads YAML text; `file` is what faults call it.
    ///
    /// - Throws: ``ConfigurationFault`` with the line and the field.
    init(yaml: String, file: String, environment: [String: String] = [:]) throws {
        let root: Node?
        do {
            root = try compose(yaml: yaml)
        } catch let error as YamlError {
            throw ConfigurationFault(error, file: file)
        }
        guard let root else { throw ConfigurationFault(file: file, line: nil, field: "", problem: "is empty") }
        let fields = try Field(file: file, path: "", node: root).fields(
            "upstreams", "models", "policy", "server", "tenants", "operator", "prices", "limits", "ledger", "jobs",
            "sessions")
        let upstreams = try fields.required("upstreams").fields().all.map {
            try Upstream($0.field, name: $0.name, environment: environment)
        }
        guard !upstreams.isEmpty else { throw try fields.required("upstreams").fault("names no upstream") }
        let byName = Dictionary(uniqueKeysWithValues: upstreams.map { ($0.name, $0) })
        let calls = try fields["policy"].map { try Calls(policy: $0) } ?? Calls()
        let models = try fields.required("models").fields().all.map {
            try Model($0.field, name: $0.name, upstreams: byName, calls: calls)
        }
        guard !models.isEmpty else { throw try fields.required("models").fault("names no model") }
        self.init(upstreams: upstreams, models: models)
        if let policy = try fields["policy"]?.fields() {
            if let own = policy["budget"] {
                budget = own.node.string == "unlimited" ? nil : try RetryBudget.Configuration(own)
            }
            tenantLimit = try policy["tenantLimit"].map { try TenantLimit($0) }
        }
        if let field = fields["server"] { server = try Server(field) }
        spending = try Spending(fields, file: file, models: models)
        if upstreams.contains(where: { $0.replicas != nil }) {
            sessions = try fields["sessions"].map { try Sessions($0, beside: file) } ?? Sessions()
        } else if let field = fields["sessions"] {
            throw field.fault("is for a file with an upstream that has a 'fleet'")
        }
        jobs = try fields["jobs"].map { try Jobs($0, beside: file) }
        try checkLadders(try fields.required("models").fields())
    }
}

extension Configuration.Upstream {
    /// Reads one upstream.
    init(_ field: Field, name: String, environment: [String: String]) throws {
        let fields = try field.fields(
            "url", "fleet", "keyEnv", "breaker", "rateLimit", "cooldown", "propagate", "prefill", "concurrency",
            "quota")
        self.name = name
        if let own = fields["fleet"] {
            if let field = fields["url"] { throw field.fault("is not for an upstream with a 'fleet'") }
            (url, replicas) = (nil, try Configuration.Replicas(own, of: name))
        } else {
            (url, replicas) = (try Self.base(fields.required("url")), nil)
        }
        key = try fields["keyEnv"].map { [replicas] in try Self.key($0, for: replicas, environment) }
        breaker =
            if let own = fields["breaker"] {
                try own.node.string == "none" ? nil : CircuitBreaker.Configuration(own)
            } else {
                // A fleet knows its sick replicas by itself, and one that fails says nothing of the others.
                replicas == nil ? CircuitBreaker.Configuration() : nil
            }
        rateLimit = try fields["rateLimit"].map { try TokenBucket.Configuration($0) }
        concurrency = try fields["concurrency"].map { try ConcurrencyLimit.Configuration($0) }
        quota = try fields["quota"].map { try Configuration.ProviderQuota($0) }
        propagates = try fields["propagate"]?.flag() ?? false
        prefill =
            try fields["prefill"]?.choice([
                "none": nil, "flags": Prefill.Style.flags, "lastMessage": .lastMessage,
            ]) ?? nil
        cooldown = try fields["cooldown"].map { [replicas] own in
            guard replicas == nil else {
                throw own.fault(
                    "is not for an upstream with a 'fleet': one replica's 429 would keep calls from all of them; "
                        + "without it the next attempt goes to another one")
            }
            let times = try own.fields("firstSeconds", "maximumSeconds")
            let first = try times.seconds("firstSeconds") ?? .seconds(1)
            let most = try times.seconds("maximumSeconds") ?? max(first, .seconds(60))
            guard most >= first else { throw own.fault("maximumSeconds is less than firstSeconds") }
            return Cooldown.Times(first: first, most: most)
        }
    }

    /// The key in the variable that `field` names; replicas refuse one that no header can carry.
    private static func key(
        _ field: Field, for replicas: Configuration.Replicas?, _ environment: [String: String]
    ) throws -> String {
        let variable = try field.text()
        guard let key = environment[variable], !key.isEmpty else {
            throw field.fault("the environment variable \(variable) is not set")
        }
        try field.blame { () throws(ConfigurationError) in
            try replicas?.watching(served: nil, key: key).validate()
        }
        return key
    }

    private static func base(_ field: Field) throws -> String {
        var text = try field.text()
        while text.hasSuffix("/") { text.removeLast() }
        if text.hasSuffix("/v1") { text.removeLast(3) }
        guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme),
            url.host?.isEmpty == false, url.query == nil, url.fragment == nil
        else { throw field.refuse("an address such as https://api.example.com") }
        return text
    }
}

extension Configuration.Model {
    /// Reads one model; `calls` holds what its own field `policy` does not say.
    init(_ field: Field, name: String, upstreams: [String: Configuration.Upstream], calls: Configuration.Calls) throws {
        let fields = try field.fields("order", "targets", "tiers", "hysteresis", "whenUnacceptable", "policy")
        self.name = name
        self.calls = try fields["policy"].map { try Configuration.Calls(model: $0, over: calls) } ?? calls
        order = try fields["order"]?.choice(["ladder": .ladder, "rotating": .rotating]) ?? .ladder
        let list: Field
        if let tiers = fields["tiers"] {
            for name in ["order", "targets"] {
                if let field = fields[name] { throw field.fault("is not for a model with 'tiers'") }
            }
            let ladder = try Configuration.Ladder(tiers, fields, upstreams: upstreams, calls: self.calls)
            (list, self.ladder) = (tiers, ladder)
            targets = ladder.places
        } else {
            for name in ["hysteresis", "whenUnacceptable"] {
                if let field = fields[name] { throw field.fault("is for a model with 'tiers'") }
            }
            guard let own = fields["targets"] else { throw field.fault("needs 'targets' or 'tiers'") }
            (list, ladder) = (own, nil)
            var seen: Set<String> = []
            targets = try own.elements().map { element in
                let target = try Place(element.fields("upstream", "model", "price"), upstreams)
                guard seen.insert(target.name).inserted else { throw element.fault("\(target.name) is there twice") }
                return target
            }
        }
        guard targets.count <= 64 else { throw list.fault("has \(targets.count) targets; at most 64 can be tried") }
        if case .continue = self.calls.recovery, targets.allSatisfy({ upstreams[$0.upstream]?.prefill == nil }) {
            throw list.fault("recovery is 'continue', but the field 'prefill' of no upstream here says how")
        }
    }
}

extension Configuration.Model.Place {
    /// What reports call the place.
    var name: String { "\(upstream)/\(model)" }

    /// Reads the fields `upstream`, `model` and `price`.
    init(_ fields: Fields, _ upstreams: [String: Configuration.Upstream]) throws {
        let upstream = try fields.required("upstream")
        guard upstreams[try upstream.text()] != nil else { throw upstream.refuse("one of the upstreams") }
        let field = try fields.required("model"), name = try field.text()
        guard name.utf8.count <= 200 else { throw field.refuse("a name of at most 200 bytes") }
        self.init(upstream: try upstream.text(), model: name, priced: try fields["price"]?.text() ?? name)
    }
}

extension ConfigurationFault {
    /// What the YAML parser found.
    fileprivate init(_ error: YamlError, file: String) {
        let (line, problem): (Int?, String) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, problem)
            case .duplicatedKeysInMapping(let duplicates, let context):
                (context.mark.line, "the key \(duplicates.sorted().joined(separator: ", ")) is there twice")
            default: (nil, "\(error)")
            }
        self.init(file: file, line: line, field: "", problem: "not YAML: \(problem)")
    }
}
