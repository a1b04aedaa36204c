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
            case dns(host: String, port: Int, family: DNSMembers.Family)
        }

        let source: Source
        /// The replicas to begin with; none where a name is still to be resolved.
        let members: [Member]
        /// What is known of each member of a name, but for its name and its address.
        let template: Member
        /// How one of them is chosen.
        let choice: Fleet.Configuration
        /// What says how many there should be; nil: nobody asks.
        let capacity: Capacity?
        /// Where and how often they are asked; without a model one that a route asks for.
        let watch: FleetWatch.Configuration
        /// When replicas may be taken away; nil: nobody asks.
        let idle: Idle?

        /// When replicas may be taken away.
        struct Idle: Sendable, Hashable {
            /// For how long they have had no call.
            let span: Duration
            /// How many may stay all the same, the cheapest.
            let kept: Int
        }
    }
}

extension Configuration.Replicas {
    private static let sources = ["members", "file", "dns"]

    /// Reads the field `fleet` of the upstream called `name`; a relative path starts where the configuration lies.
    init(_ field: Field, of name: String) throws {
        let fields = try field.fields(
            in: Self.sources + FleetWatch.Configuration.fields + [
                "rule", "zone", "region", "fartherSeconds", "farthestSeconds", "panic", "objectiveSeconds", "memory",
                "queueAgeSeconds", "health", "capacity", "idle",
            ])
        guard Self.sources.filter({ fields[$0] != nil }).count == 1 else {
            throw field.fault("needs one of members, file and dns")
        }
        var template = Member("each", address: "each")
        if let own = fields["members"] {
            source = .list
            let text = try own.elements().map { try $0.text() }.joined(separator: "\n")
            members = try Self.list(own) { try MemberList(text).members }
            if let field = fields["followSeconds"] ?? fields["absences"] {
                throw field.fault("is for a fleet with 'file' or 'dns'")
            }
        } else if let own = fields["file"] {
            let url = URL(
                fileURLWithPath: try own.text(), relativeTo: URL(fileURLWithPath: field.file))
            source = .file(url.path)
            let all = try Self.list(own) { try FileMembers(url.path).current() }
            // Whoever follows the file tells of those for whom there is no place.
            members = all.firstByName(Fleet.capacity)
        } else {
            let own = try Member.named(fields.required("dns"))
            source = .dns(host: own.host, port: own.port, family: own.family)
            members = []
            template = own.template
        }
        watch = try FleetWatch.Configuration(fields)
        template.model = watch.model
        self.template = template
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
        choice.farther = try fields.seconds("fartherSeconds", atLeast: 0) ?? choice.farther
        choice.farthest = try fields.seconds("farthestSeconds", atLeast: 0) ?? choice.farthest
        choice.objective = try fields.seconds("objectiveSeconds")
        choice.memory = try fields.number("memory", in: 0...100)
        choice.queueAge = try fields.seconds("queueAgeSeconds")
        choice.panic = try fields.number("panic", in: 0...1) ?? choice.panic
        choice.health = try fields["health"].map { try ReplicaHealth.Configuration($0) }
        self.choice = choice
        capacity = try fields["capacity"].map { try Configuration.Capacity($0) }
        idle = try fields["idle"].map { try Idle($0) }
        if choice.health == nil, let field = fields["dcgm"] {
            throw field.fault("needs 'health': without it nothing takes a replica out of use")
        }
        let members = members
        // Made once to be checked, and again when the gateway starts.
        _ = try fields.blame(Self.names) { () throws(ConfigurationError) in
            try Fleet(name, choice, members: members, at: .zero)
        }
    }

    /// What the fields are called that the library knows by other names.
    private static let names = [
        "members": sources, "memory": ["memory"], "objective": ["objectiveSeconds"], "queueAge": ["queueAgeSeconds"],
        "panic": ["panic"],
    ]

    /// The members that `read` finds where a field says.
    private static func list(_ field: Field, _ read: () throws -> [Member]) throws -> [Member] {
        let members: [Member]
        do { members = try read() } catch { throw field.fault("\(error)") }
        guard !members.isEmpty else { throw field.fault("names no replica") }
        return members
    }
}

extension Configuration.Replicas.Idle {
    /// Reads the field `idle`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields("seconds", "keep")
        span = .seconds(try fields.required("seconds").number(in: 0.001...86_400))
        kept = try fields.count("keep", in: 0...Fleet.capacity) ?? 0
    }
}
