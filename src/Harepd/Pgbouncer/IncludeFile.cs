using System.Globalization;
using System.Text;
using Harepd.Core.Share;
using Harepd.Files;

namespace Harepd.Pgbouncer;

/// <summary>
/// The file with the managed lines of <c>[databases]</c>: harepd's alone, replaced whole and only when it changes. Several PgBouncers of a host may share
/// it. Thread-safe.
/// </summary>
internal sealed class IncludeFile(PgbouncerTarget target)
{
    /// <summary>0644: PgBouncer may run as another user, and nothing in it is secret.</summary>
    private const uint ReadableByAll = 0x1A4;

    private const int LargestFile = 1 << 20;

    private readonly Lock _gate = new();

    /// <summary>What the file says for a writer; the same text for the same place.</summary>
    internal static string Text(PgbouncerTarget target, WriterPlace place)
    {
        var text = new StringBuilder("; Written by harepd, and again at every change of the writer.\n[databases]\n");
        foreach (var database in target.Databases)
        {
            text.Append(CultureInfo.InvariantCulture, $"{database.Name} = host={place.Host} port={place.Port}");
            text.Append(database.Options.Length == 0 ? "" : " ").Append(database.Options).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>True when the file on disk says this already.</summary>
    public bool Says(WriterPlace place) => Read() is { } found && found == Text(target, place);

    /// <summary>Makes it so. An empty answer when it is, else what went wrong; the old file is whole then.</summary>
    public string Put(WriterPlace place)
    {
        lock (_gate)
        {
            if (Says(place))
            {
                return "";
            }

            AtomicFile.RemoveLeftovers(target.IncludeFile);
            var bytes = Encoding.UTF8.GetBytes(Text(target, place));
            return AtomicFile.Replace(target.IncludeFile, bytes, Durability.Whole, ReadableByAll).Error ?? "";
        }
    }

    private string? Read()
    {
        try
        {
            var file = new FileInfo(target.IncludeFile);
            return file is { Exists: true, Length: <= LargestFile } ? File.ReadAllText(file.FullName) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
