#if SQLiteSupport
internal import CostLedger
internal import SpillwayCore

/// Scopes and lists of them, each written once and then named by a number.
final class ScopeTable {
    /// Scopes and lists that are remembered at most; more are looked up in the file.
    private static let most = 100_000

    private let findScope: Statement
    private let addScope: Statement
    private let findList: Statement
    private let addList: Statement
    private let addMember: Statement
    private let members: Statement
    private let connection: OpaquePointer
    private let path: String
    private var numbers: [Scope: Int64] = [:]
    private var lists: [[Scope]: Int64] = [:]
    private var scopesOfLists: [Int64: [Scope]] = [:]
    /// Lists of the batch by where they lie in memory: those of one account are the same array.
    private var places: [UnsafeRawPointer: Int64] = [:]

    init(_ connection: OpaquePointer, _ path: String) throws {
        self.connection = connection
        self.path = path
        findScope = try Statement(connection, "SELECT id FROM scopes WHERE kind = ? AND name = ?")
        addScope = try Statement(connection, "INSERT INTO scopes (kind, name) VALUES (?, ?) RETURNING id")
        findList = try Statement(connection, "SELECT id FROM scope_lists WHERE scopes = ?")
        addList = try Statement(connection, "INSERT INTO scope_lists (scopes) VALUES (?) RETURNING id")
        addMember = try Statement(connection, "INSERT INTO scope_list_members VALUES (?, ?, ?)")
        members = try Statement(
            connection,
            "SELECT kind, name FROM scope_list_members JOIN scopes ON id = scope WHERE list = ? ORDER BY position")
    }

    /// What is remembered may not be in the file: the transaction was undone.
    func forget() {
        numbers = [:]
        lists = [:]
        scopesOfLists = [:]
        places = [:]
    }

    /// Addresses of arrays mean something only while a batch holds these.
    func batchEnded() {
        places.removeAll(keepingCapacity: true)
        if numbers.count > Self.most { numbers = [:] }
        if lists.count > Self.most { lists = [:] }
        if scopesOfLists.count > Self.most { scopesOfLists = [:] }
    }

    /// The number of a scope that is there.
    func existing(_ scope: Scope) throws -> Int64? {
        findScope.bind(1, scope.kind.description)
        findScope.bind(2, scope.name)
        return try findScope.integer()
    }

    func number(of scope: Scope) throws -> Int64 {
        if let number = numbers[scope] { return number }
        var number = try existing(scope)
        if number == nil {
            addScope.bind(1, scope.kind.description)
            addScope.bind(2, scope.name)
            number = try addScope.integer()
        }
        numbers[scope] = number
        return number ?? 0
    }

    func number(of list: [Scope]) throws -> Int64 {
        let place = list.withUnsafeBytes { $0.baseAddress }
        if let place, let number = places[place] { return number }
        let number = try looked(for: list)
        if let place { places[place] = number }
        return number
    }

    private func looked(for list: [Scope]) throws -> Int64 {
        if let number = lists[list] { return number }
        var numbers: [Int64] = []
        for scope in list { numbers.append(try number(of: scope)) }
        let key = numbers.map { "\($0)" }.joined(separator: " ")
        findList.bind(1, key)
        var number = try findList.integer()
        if number == nil {
            addList.bind(1, key)
            number = try addList.integer()
            for (position, scope) in numbers.enumerated() {
                addMember.bind(1, number ?? 0)
                addMember.bind(2, Int64(position))
                addMember.bind(3, scope)
                try addMember.run()
            }
        }
        lists[list] = number
        return number ?? 0
    }

    /// The scopes of a list.
    func scopes(of list: Int64) throws -> [Scope] {
        if let scopes = scopesOfLists[list] { return scopes }
        var scopes: [Scope] = []
        members.bind(1, list)
        try members.rows { scopes.append(try Self.scope($0, 0, path)) }
        scopesOfLists[list] = scopes
        return scopes
    }

    /// The scope whose kind and name begin at `column` of a row.
    static func scope(_ row: Statement, _ column: Int32, _ path: String) throws -> Scope {
        guard let kind = row.text(column).flatMap({ Scope.Kind($0) }), let name = row.text(column + 1) else {
            throw StoreError(.corrupt, "\(path): a scope of an unknown kind")
        }
        return Scope(kind, name)
    }
}
#endif
