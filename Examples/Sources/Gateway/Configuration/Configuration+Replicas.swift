import Foundation
import Spillway
import SpillwayHTTPClient

extension Configuration {
    /// Replicas of one's own behind one upstream.
    struct Replicas: Sendable {
        /// Where their list comes from.
        enum Source: Sendable, Hashable {
            /// The configuration itself.
            case list
            /// A file, read again and again.
            case file(String)
            /// A name that resolves to all of them, asked again and again.
            case dns(host: String, port: Int)
        }

        let source: Source
        /// The replicas to begin with; none where a name is still to be resolved.
        let members: [Member]
        /// How one of them is chosen.
        let choice: Fleet.Configuration
        /// What says how many there should be; nil: nobody asks.
        let capacity: Capacity?
        /// The model that probes ask for of members that name none; nil: one that a route asks for.
        let model: String?
        /// The rest between two looks at the load of a replica.
        let scrape: Duration
        /// The rest between two readings of the list.
        let follow: Duration
    }
}

extension Configuration.Replicas {
    private static let sources = ["members", "file", "dns"]

    /// Reads the field `fleet` of the upstream called `name`; a relative path starts where the configuration lies.
    init(_ field: Field, of name: String) throws {
        let fields = try field.fields(
            in: Self.sources + [
                "model", "rule", "zone", "region", "panic", "objectiveSeconds", "memory", "queueAgeSeconds", "health",
                "scrapeSeconds", "followSeconds", "capacity",
            ])
        guard Self.sources.filter({ fields[$0] != nil }).count == 1 else {
            throw field.fault("needs one of members, file and dns")
        }
        if let own = fields["members"] {
            source = .list
            members = try Self.list(own.elements().map { try $0.text() }.joined(separator: "\n"), own)
            if let field = fields["followSeconds"] { throw field.fault("is for a fleet with 'file' or 'dns'") }
        } else if let own = fields["file"] {
            let url = URL(
                fileURLWithPath: try own.text(), relativeTo: URL(fileURLWithPath: field.file))
            guard let data = try? Data(contentsOf: url) else { throw own.fault("\(url.path) cannot be read") }
            source = .file(url.path)
            members = try Self.list(String(decoding: data, as: UTF8.self), own)
        } else {
            let own = try fields.required("dns").fields("host", "port")
            let host = try own.required("host").text(), port = try own.required("port").count(in: 1...65_535)
            try own.blame(["host": ["host"]]) { () throws(ConfigurationError) in _ = try DNSMembers(host, port: port) }
            source = .dns(host: host, port: port)
            members = []
        }
        var choice = Fleet.Configuration()
        choice.rule =
            try fields["rule"].map { own in
                guard let rule = FleetRule(rawValue: try own.text()) else {
                    throw own.refuse("one of \(FleetRule.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                return rule
            } ?? choice.rule
        choice.zone = try fields["zone"]?.text()
        choice.region = try fields["region"]?.text()
        choice.objective = try fields.seconds("objectiveSeconds")
        choice.memory = try fields.number("memory", in: 0...100)
        choice.queueAge = try fields.seconds("queueAgeSeconds")
        choice.panic = try fields.number("panic", in: 0...1) ?? choice.panic
        choice.health = try fields["health"].map { try ReplicaHealth.Configuration($0) }
        self.choice = choice
        capacity = try fields["capacity"].map { try Configuration.Capacity($0) }
        model = try fields["model"]?.text()
        scrape = .seconds(try fields.number("scrapeSeconds", in: 0.01...3_600) ?? 1)
        follow = try fields.seconds("followSeconds") ?? .seconds(5)
        let made = self
        try fields.blame(Self.names) { () throws(ConfigurationError) in try made.check(name) }
    }

    /// What the fields are called that the library knows by other names.
    private static let names = [
        "members": sources, "memory": ["memory"], "objective": ["objectiveSeconds"], "queueAge": ["queueAgeSeconds"],
        "panic": ["panic"], "model": ["model"],
    ]

    /// Makes once what is made again when the gateway starts, so that what cannot work shows while the file is read.
    private func check(_ name: String) throws(ConfigurationError) {
        _ = try Fleet(name, choice, members: members, at: .zero)
        try watching(served: nil, key: nil).validate()
    }

    /// The members in the lines of `text`.
    private static func list(_ text: String, _ field: Field) throws -> [Member] {
        do {
            let members = try MemberList(text).members
            guard !members.isEmpty else { throw field.fault("names no replica") }
            return members
        } catch let error as MemberListError {
            throw field.fault("\(error)")
        }
    }
}
