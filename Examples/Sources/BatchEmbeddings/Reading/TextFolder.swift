import Foundation

/// The texts below a folder, in the order of their paths.
///
/// What has a name that begins with a dot is passed over, and so are symbolic links, which could lead in circles.
struct TextFolder: Sendable {
    let root: URL
    /// Extensions in lower case, without dots.
    let extensions: Set<String>
    /// A folder to pass over: that of the results, should it be inside.
    let except: URL

    /// The paths of all texts, relative to the folder, and notes about what could not be looked at.
    func paths() -> (paths: [String], notes: [String]) {
        var paths: [String] = [], notes: [String] = [], folders = [""]
        let keys: [URLResourceKey] = [.isDirectoryKey, .isRegularFileKey, .isSymbolicLinkKey]
        while let folder = folders.popLast() {
            let url = folder.isEmpty ? root : root.appendingPathComponent(folder)
            let entries: [URL]
            do {
                entries = try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: keys)
            } catch {
                notes.append("\(folder): skipped, because it cannot be read: \(error.localizedDescription)")
                continue
            }
            for entry in entries where !entry.lastPathComponent.hasPrefix(".") {
                let path = folder.isEmpty ? entry.lastPathComponent : "\(folder)/\(entry.lastPathComponent)"
                guard let kind = try? entry.resourceValues(forKeys: Set(keys)) else { continue }
                let isText = extensions.contains(entry.pathExtension.lowercased())
                if kind.isSymbolicLink == true {
                    if isText { notes.append("\(path): skipped, because it is a link") }
                } else if kind.isDirectory == true {
                    if entry.resolvingSymlinksInPath().path != except.resolvingSymlinksInPath().path {
                        folders.append(path)
                    }
                } else if kind.isRegularFile == true, isText {
                    paths.append(path)
                }
            }
        }
        // By bytes: the same order on every machine and in every language.
        return (paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, notes.sorted())
    }

    /// The text of a file without a byte order mark; nil, and a note, when it is none.
    func text(_ path: String) -> (bytes: [UInt8]?, note: String?) {
        let data: Data
        do { data = try Data(contentsOf: root.appendingPathComponent(path)) } catch {
            return (nil, "\(path): skipped, because it cannot be read: \(error.localizedDescription)")
        }
        var bytes = [UInt8](data)
        if bytes.contains(0) { return (nil, "\(path): skipped, because it is binary") }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            return (nil, "\(path): skipped, because it is not UTF-8")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        return (bytes, nil)
    }
}
