using System.Globalization;
using Harepd.Core.Model;
using Harepd.Files;

namespace Harepd.Postgres.Hba;

/// <summary>pg_hba.conf on the disk: read whole, replaced whole, backed up once. Every writer holds the folder's lock.</summary>
/// <param name="path">The file; links are followed, so that the target is replaced.</param>
internal sealed class HbaDisk(string path)
{
    private const int LargestFile = 16 << 20;

    /// <summary>The file behind links.</summary>
    public string Target { get; } = AtomicFile.Resolve(path);

    public string Folder => Path.GetDirectoryName(Target) ?? "/";

    public FileFacts? Facts => FileFacts.Of(Target);

    /// <summary>Keeps every other writer away, threads and processes; null with the reason when somebody holds it until the deadline.</summary>
    public FileLock? TryLock(Instant deadline, out string? error) => FileLock.TryTake(Folder, deadline, out error);

    /// <summary>The whole content, or null with the reason.</summary>
    public byte[]? Read(out string error)
    {
        error = "";
        try
        {
            using var file = File.OpenRead(Target);
            if (file.Length > LargestFile)
            {
                error = $"{Target} is larger than 16 MB";
                return null;
            }

            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error = $"reading {Target}: {failure.Message}";
            return null;
        }
    }

    public FileResult Write(byte[] content, Durability durability)
    {
        AtomicFile.RemoveLeftovers(Target);
        return AtomicFile.Replace(Target, content, durability);
    }

    public FileResult Flush() => AtomicFile.Flush(Target);

    /// <summary>Puts a copy of the content beside the file, with the file's owner and mode; never over an older copy.</summary>
    public FileResult BackUp(byte[] content, out string backup)
    {
        backup = Target + ".harepd-backup-" + DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        if (FileFacts.Of(backup) is not null)
        {
            return FileResult.Done;
        }

        var like = Facts;
        var result = AtomicFile.Replace(backup, content, Durability.Durable, like?.Permissions ?? 0x180, like);
        backup = result.IsDone ? backup : "";
        return result;
    }
}
