/// What of a conversation stays together, and in which order it goes.
struct ContextPlan {
    private let costs: [Int]
    /// The messages of each part that goes as a whole, the first to go first.
    private let parts: [[Int]]
    /// Tokens of all messages.
    let total: Int

    init<Message: ContextMessage>(_ messages: [Message], _ costs: [Int]) {
        self.costs = costs
        total = costs.reduce(0, +)
        // A message of the model and the results of the tools that it called are one unit.
        var units: [Range<Int>] = []
        for index in messages.indices {
            if messages[index].contextRole == .tool, let last = units.last,
                messages[last.lowerBound].contextRole == .assistant || messages[last.lowerBound].contextRole == .tool
            {
                units[units.count - 1] = last.lowerBound..<index + 1
            } else {
                units.append(index..<index + 1)
            }
        }
        let lastUser = messages.lastIndex { $0.contextRole == .user }
        let newest = units.last { messages[$0.lowerBound].contextRole != .system }
        var parts: [[Int]] = []
        var hasTurn = false
        for unit in units {
            let role = messages[unit.lowerBound].contextRole
            // A turn begins even with a message of the user that is pinned: what answers it goes by itself.
            if role == .user { hasTurn = false }
            let stays =
                role == .system || unit.lowerBound == lastUser || unit == newest
                || messages[unit].contains { $0.isPinned }
            if stays { continue }
            let isOfLastTurn = lastUser.map { unit.lowerBound > $0 } ?? true
            if hasTurn, !isOfLastTurn {
                parts[parts.count - 1] += unit
            } else {
                parts.append(Array(unit))
                hasTurn = !isOfLastTurn
            }
        }
        self.parts = parts
    }

    /// Every message stays.
    var all: [Bool] { Array(repeating: true, count: costs.count) }

    /// Tokens of what always stays.
    var needed: Int { total - parts.joined().reduce(0) { $0 + costs[$1] } }

    /// Which messages stay when only so many tokens may; nil: it cannot be done.
    func slide(to room: Int) -> [Bool]? {
        var kept = all, tokens = total
        for part in parts {
            if tokens <= room { return kept }
            for index in part {
                kept[index] = false
                tokens -= costs[index]
            }
        }
        return tokens <= room ? kept : nil
    }

    func tokens(_ kept: [Bool]) -> Int { costs.indices.reduce(0) { $0 + (kept[$1] ? costs[$1] : 0) } }
}
