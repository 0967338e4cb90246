using System.Globalization;

namespace Harepd.Files;

/// <summary>Whether a replacement must survive a power cut before the call returns.</summary>
internal enum Durability
{
    /// <summary>File and folder are fsynced before the call returns.</summary>
    Durable,

    /// <summary>
    /// The file is fsynced before it takes the old one's place, the folder is not: a power cut brings back the old content or the new, each whole.
    /// For openings, which may be lost; <see cref="AtomicFile.Flush"/> afterwards keeps them.
    /// </summary>
    Whole,

    /// <summary>Readers see the new content at once, a power cut may bring the old one back: for closing in a hurry, with <see cref="AtomicFile.Flush"/> afterwards.</summary>
    VisibleOnly,
}

/// <summary>
/// Replaces whole files so that a reader, a crash or a full disk never meets half a file: a new file in the same folder, then rename.
/// Synchronous; waits for nothing but the file system. Writers of one path take a <see cref="FileLock"/> first.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Part of every temporary name, so that a leftover of a crashed writer can be told and removed.</summary>
    private const string TemporaryMark = ".harepd-new-";

    private const uint OwnerOnly = 0x180; // 0600

    /// <summary>
    /// Puts <paramref name="bytes"/> in the place of <paramref name="path"/>. An existing file keeps its owner, group and permissions, and a
    /// symbolic link keeps pointing to the (replaced) target. On failure the old file is untouched and the temporary one removed.
    /// </summary>
    /// <param name="path">Absolute path; the folder must exist.</param>
    /// <param name="bytes">The whole new content.</param>
    /// <param name="durability">What must be true when the call returns.</param>
    /// <param name="modeWhenNew">Permission bits of a file that does not exist yet.</param>
    /// <param name="ownerWhenNew">Whose owner and group such a file gets; null leaves them to the kernel.</param>
    public static FileResult Replace(
        string path, ReadOnlySpan<byte> bytes, Durability durability = Durability.Durable, uint modeWhenNew = OwnerOnly, FileFacts? ownerWhenNew = null)
    {
        var target = Resolve(path);
        var before = FileFacts.Of(target) ?? (ownerWhenNew is { } owner ? owner with { Mode = modeWhenNew } : null);
        var temporary = TemporaryName(target);
        var written = WriteTemporary(temporary, bytes, durability, before, modeWhenNew);
        if (!written.IsDone)
        {
            _ = Posix.Unlink(temporary);
            return written;
        }

        if (Posix.Rename(temporary, target) != 0)
        {
            var failed = FileResult.Failed("renaming to", target);
            _ = Posix.Unlink(temporary);
            return failed;
        }

        return durability == Durability.Durable ? FlushFolder(target) : FileResult.Done;
    }

    /// <summary>Makes an earlier <see cref="Durability.VisibleOnly"/> replacement survive a power cut. May wait as long as the disk does.</summary>
    public static FileResult Flush(string path)
    {
        var target = Resolve(path);
        var file = FlushOne(target);
        return file.IsDone ? FlushFolder(target) : file;
    }

    /// <summary>Removes temporary files that crashed writers of <paramref name="path"/> left behind. Call it only under the path's lock.</summary>
    public static void RemoveLeftovers(string path)
    {
        var target = Resolve(path);
        try
        {
            foreach (var leftover in Directory.EnumerateFiles(FolderOf(target), Path.GetFileName(target) + TemporaryMark + "*"))
            {
                _ = Posix.Unlink(leftover);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A leftover costs a few bytes; the replacement that follows reports a folder that cannot be written.
        }
    }

    /// <summary>The file behind links, so that the link survives and the rename stays inside one file system.</summary>
    public static string Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Path.GetFullPath(path);
        }
    }

    private static string FolderOf(string target) => Path.GetDirectoryName(target) ?? "/";

    // The thread's id keeps a closer that goes on without the lock from colliding with a stalled opener of the same process.
    private static string TemporaryName(string target) => string.Create(
        CultureInfo.InvariantCulture, $"{target}{TemporaryMark}{Environment.ProcessId}-{Environment.CurrentManagedThreadId}");

    private static FileResult WriteTemporary(string temporary, ReadOnlySpan<byte> bytes, Durability durability, FileFacts? like, uint modeWhenNew)
    {
        _ = Posix.Unlink(temporary);
        var descriptor = Posix.Open(temporary, Posix.WriteOnly | Posix.Create | Posix.Exclusive | Posix.NoFollow | Posix.CloseOnExec, OwnerOnly);
        if (descriptor < 0)
        {
            return FileResult.Failed("creating", temporary);
        }

        try
        {
            var result = WriteAll(descriptor, temporary, bytes);
            result = result.IsDone ? GiveLooksOf(like, modeWhenNew, descriptor, temporary) : result;
            return result.IsDone && durability != Durability.VisibleOnly && Posix.Fsync(descriptor) != 0
                ? FileResult.Failed("fsync of", temporary)
                : result;
        }
        finally
        {
            _ = Posix.Close(descriptor);
        }
    }

    private static FileResult WriteAll(int descriptor, string path, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = Posix.Write(descriptor, bytes, (nuint)bytes.Length);
            if (count < 0 && Posix.LastError.Number == Posix.Interrupted)
            {
                continue;
            }

            if (count <= 0)
            {
                return FileResult.Failed("writing", path);
            }

            bytes = bytes[(int)count..];
        }

        return FileResult.Done;
    }

    private static FileResult GiveLooksOf(FileFacts? like, uint modeWhenNew, int descriptor, string path)
    {
        // Owner before mode: chown clears set-id bits. An owner that is already right needs no right to change it.
        if (like is { } facts && FileFacts.Of(path) is { } mine && (mine.User != facts.User || mine.Group != facts.Group)
            && Posix.Fchown(descriptor, facts.User, facts.Group) != 0)
        {
            return FileResult.Failed("keeping the owner of", path);
        }

        return Posix.Fchmod(descriptor, like?.Permissions ?? modeWhenNew) == 0 ? FileResult.Done : FileResult.Failed("keeping the mode of", path);
    }

    private static FileResult FlushFolder(string target) => FlushOne(FolderOf(target));

    private static FileResult FlushOne(string path)
    {
        var descriptor = Posix.Open(path, Posix.ReadOnly | Posix.CloseOnExec, 0);
        if (descriptor < 0)
        {
            return FileResult.Failed("opening for fsync", path);
        }

        try
        {
            return Posix.Fsync(descriptor) == 0 ? FileResult.Done : FileResult.Failed("fsync of", path);
        }
        finally
        {
            _ = Posix.Close(descriptor);
        }
    }
}
