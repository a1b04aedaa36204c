import Spillway
import SpillwayHTTPClient

extension Configuration.Calls {
    private static let names = [
        "deadlineSeconds", "attemptSeconds", "firstContentSeconds", "stallSeconds", "tokensPerSecond",
        "patienceSeconds", "retries", "backoff", "hedge", "commit", "recovery",
    ]

    /// Reads the field `policy` of the file, which has more fields for what all models share.
    init(policy field: Field) throws {
        self.init()
        try read(try field.fields(in: Self.names + ["budget", "tenantLimit"]), field)
    }

    /// Reads the field `policy` of a model: what it does not say is as in `calls`.
    init(model field: Field, over calls: Self) throws {
        self = calls
        try read(try field.fields(in: Self.names), field)
    }

    private mutating func read(_ fields: Fields, _ field: Field) throws {
        deadline = try fields.seconds("deadlineSeconds") ?? deadline
        limits.attempt = try fields.seconds("attemptSeconds") ?? limits.attempt
        limits.firstContent = try fields.seconds("firstContentSeconds") ?? limits.firstContent
        limits.stall = try fields.seconds("stallSeconds") ?? limits.stall
        limits.tokensPerSecond = try fields.number("tokensPerSecond", in: 1e-6...1e6) ?? limits.tokensPerSecond
        limits.patience = try fields.seconds("patienceSeconds") ?? limits.patience
        retries = try fields.count("retries", in: 0...100) ?? retries
        backoff = try fields["backoff"].map { try Backoff($0) } ?? backoff
        if let own = fields["hedge"] {
            hedge = own.node.string == "none" ? nil : try Configuration.Hedging(own)
        }
        commit = try fields["commit"].map { try CommitPoint($0) } ?? commit
        recovery =
            try fields["recovery"]?.choice([
                "fail": .fail, "restart": .restart, "continue": .continue(.flags),
                "continueLastMessage": .continue(.lastMessage),
            ]) ?? recovery
        let limits = limits
        try field.blame { () throws(ConfigurationError) in _ = try limits.timeout() }
    }
}

extension CommitPoint {
    /// Reads the field `commit`.
    fileprivate init(_ field: Field) throws {
        if field.node.mapping != nil {
            self = .tokens(try field.fields("tokens").required("tokens").count(in: 1...1_000_000))
        } else {
            self = try field.choice(["firstToken": .firstToken, "wholeAnswer": .wholeAnswer])
        }
    }
}

extension Configuration.Hedging {
    /// Reads the field `hedge`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields(
            "afterSeconds", "quantile", "initialSeconds", "atLeastSeconds", "atMostSeconds", "upTo")
        guard (fields["afterSeconds"] == nil) != (fields["quantile"] == nil) else {
            throw field.fault("needs one of afterSeconds and quantile")
        }
        if let after = try fields.seconds("afterSeconds", atLeast: 0) {
            for name in ["initialSeconds", "atLeastSeconds", "atMostSeconds"] {
                if let field = fields[name] { throw field.fault("is for a quantile alone") }
            }
            delay = .fixed(after)
        } else {
            delay = .quantile(
                try fields.required("quantile").number(in: 0.5...0.9999),
                initially: try fields.seconds("initialSeconds", atLeast: 0),
                atLeast: try fields.seconds("atLeastSeconds") ?? .milliseconds(1),
                atMost: try fields.seconds("atMostSeconds") ?? .seconds(600))
        }
        let (delay, most) = (delay, try fields.count("upTo", in: 1...3) ?? 1)
        upTo = most
        // Made once to be checked, and again when the gateway starts.
        try field.blame { () throws(ConfigurationError) in
            _ = try Hedge(after: delay, upTo: most, budget: try RetryBudget())
        }
    }
}
