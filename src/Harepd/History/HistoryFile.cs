using Harepd.Files;

namespace Harepd.History;

/// <summary>
/// The history on disk: <c>history.jsonl</c> in the state folder, one JSON object a line, renamed to <c>history.old.jsonl</c> when it is full. So there are at most
/// two files of <paramref name="mostBytes"/> each. For one thread; every call may wait for as long as the disk does.
/// </summary>
/// <param name="folder">The state folder.</param>
/// <param name="stem">Of the files' names: a node whose voter runs in a process of its own has two histories.</param>
/// <param name="mostBytes">Of one file.</param>
internal sealed class HistoryFile(string folder, string stem, long mostBytes = HistoryFile.MostBytes) : IDisposable
{
    /// <summary>Some twenty thousand decisions; a cluster at rest makes a few a day.</summary>
    public const long MostBytes = 4 << 20;

    /// <summary>Of the process that decides.</summary>
    public const string NodeStem = "history";

    /// <summary>Of a voter in a process of its own.</summary>
    public const string VoterStem = "history-voter";

    private FileStream? _stream;
    private bool _isTorn;

    private string Path => System.IO.Path.Combine(folder, stem + ".jsonl");

    private string OldPath => System.IO.Path.Combine(folder, stem + ".old.jsonl");

    /// <summary>Appends whole lines, each with its line feed.</summary>
    /// <exception cref="IOException">The medium refused; the lines are lost.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may the file be opened.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        Open();
        if (_stream!.Length + lines.Length > mostBytes && _stream.Length > 0)
        {
            Close();
            File.Move(Path, OldPath, overwrite: true);
            Open();
        }

        var isWritten = false;
        try
        {
            if (_isTorn)
            {
                _stream.WriteByte((byte)'\n');
                _isTorn = false;
            }

            // Unbuffered: one write a batch, and an error belongs to the lines that suffered it.
            _stream.Write(lines);
            isWritten = true;
        }
        finally
        {
            if (!isWritten)
            {
                Close();
            }
        }
    }

    /// <summary>Makes what was appended survive a power cut.</summary>
    public void Flush()
    {
        if (_stream is { } stream)
        {
            _ = Posix.FdataSync((int)stream.SafeFileHandle.DangerousGetHandle());
        }
    }

    /// <summary>A file without one readable line is renamed to <c>….damaged</c>; its new name, or null where there is nothing to set aside.</summary>
    public string? SetAsideIfDamaged()
    {
        if (HistoryReader.Read(Path) is not { Lines.Count: 0, Damaged: > 0 })
        {
            return null;
        }

        File.Move(Path, Path + ".damaged", overwrite: true);
        return Path + ".damaged";
    }

    public void Dispose() => Close();

    private void Open()
    {
        if (_stream is not null)
        {
            return;
        }

        Directory.CreateDirectory(folder);
        _isTorn = !EndsWithLine(Path);
        _stream = new FileStream(Path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        });
    }

    /// <summary>A crash may have torn the last line: what follows begins on one of its own.</summary>
    private static bool EndsWithLine(string path)
    {
        if (new FileInfo(path) is not { Exists: true, Length: > 0 })
        {
            return true;
        }

        using var file = File.OpenRead(path);
        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte() == '\n';
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
    }
}
