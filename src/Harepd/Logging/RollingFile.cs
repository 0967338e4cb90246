using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Logging;

/// <summary>
/// A log file that is renamed to <c>name-20261120T120000Z.ext</c> when its first line is older than the rotation time (a restart does not
/// start the count again) or when it is 64 MiB long. Rotated files are removed when their last line is older than the greatest age, and
/// beyond the newest 100. Own code, because Serilog's file sink knows calendar intervals only. <see cref="Reload"/> is thread-safe, the
/// rest belongs to one thread.
/// </summary>
internal sealed partial class RollingFile(string path, TimeSpan rotationTime, TimeSpan maxAge) : IDisposable
{
    private const long MaxBytes = 64 << 20;
    private const int MaxRotatedFiles = 100;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);
    private readonly string _folder = Path.GetDirectoryName(path) ?? "/";
    private readonly string _stem = Path.GetFileNameWithoutExtension(path);
    private readonly string _extension = Path.GetExtension(path);
    private Ages _ages = new(rotationTime, maxAge);
    private Ages? _openedWith;
    private FileStream? _stream;
    private Instant _rotateAt;
    private Instant _sweepAt;
    private bool _isTorn;

    // A pipe or a device has no length, and is never rotated.
    private long Length => _stream is { CanSeek: true } ? _stream.Length : 0;

    /// <summary>Takes over new ages; the file is closed and opened anew with the next line, which suits an external rotation too.</summary>
    public void Reload(TimeSpan newRotationTime, TimeSpan newMaxAge) => Volatile.Write(ref _ages, new Ages(newRotationTime, newMaxAge));

    /// <summary>Appends whole lines. A line that a full disk tore is ended before the next one.</summary>
    /// <exception cref="IOException">The medium refused; the lines are lost.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        Open();
        if (BootClock.Now >= _rotateAt || Length >= MaxBytes)
        {
            Rotate();
            Open();
        }

        var isWritten = false;
        try
        {
            if (_isTorn)
            {
                _stream!.WriteByte((byte)'\n');
                _isTorn = false;
            }

            // Unbuffered: one write a batch, and an error belongs to the lines that suffered it.
            _stream!.Write(lines);
            isWritten = true;
        }
        finally
        {
            if (!isWritten)
            {
                _isTorn = true;
                Close();
            }
        }
    }

    /// <summary>Removes what is too old, at most once a minute. Failure to remove a file is left for the next time.</summary>
    public void Tidy()
    {
        if (BootClock.Now < _sweepAt)
        {
            return;
        }

        _sweepAt = BootClock.Now + SweepInterval;
        var oldest = DateTime.UtcNow - Volatile.Read(ref _ages).MaxAge;
        foreach (var (index, file) in Rotated().Index())
        {
            if (index >= MaxRotatedFiles || file.LastWriteTimeUtc < oldest)
            {
                file.Delete();
            }
        }
    }

    public void Dispose() => Close();

    private void Open()
    {
        var ages = Volatile.Read(ref _ages);
        if (_stream is not null && ReferenceEquals(ages, _openedWith))
        {
            return;
        }

        Close();
        Directory.CreateDirectory(_folder);
        var age = AgeOfFirstLine();
        _stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        });
        _openedWith = ages;
        _rotateAt = BootClock.Now + (ages.RotationTime - age);
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
    }

    private void Rotate()
    {
        var isEmpty = Length == 0;
        Close();
        _sweepAt = Instant.Zero;
        if (isEmpty)
        {
            return;
        }

        var stamp = DateTime.UtcNow;
        string target;
        do
        {
            target = Path.Combine(_folder, $"{_stem}-{stamp.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}{_extension}");
            stamp += TimeSpan.FromSeconds(1);
        }
        while (File.Exists(target));
        File.Move(path, target);
    }

    private List<FileInfo> Rotated()
    {
        var folder = new DirectoryInfo(_folder);
        return !folder.Exists
            ? []
            : [.. folder.EnumerateFiles($"{_stem}-*{_extension}").Where(IsOurs).OrderByDescending(file => file.Name, StringComparer.Ordinal)];
    }

    // Only names that Rotate makes: a neighbour's "harepd-old.log" is not ours to remove.
    private bool IsOurs(FileInfo file) =>
        file.Name.StartsWith(_stem, StringComparison.Ordinal)
        && file.Name.EndsWith(_extension, StringComparison.Ordinal)
        && Stamp().IsMatch(file.Name.AsSpan(_stem.Length, file.Name.Length - _stem.Length - _extension.Length));

    // The first line tells its own time; what cannot be read, or lies in the future, counts from now.
    private TimeSpan AgeOfFirstLine()
    {
        if (new FileInfo(path) is not { Exists: true, Length: > 0 })
        {
            return TimeSpan.Zero;
        }

        using var reader = File.OpenText(path);
        try
        {
            using var line = JsonDocument.Parse(reader.ReadLine() ?? "");
            var age = DateTimeOffset.UtcNow - line.RootElement.GetProperty("time").GetDateTimeOffset();
            return age > TimeSpan.Zero ? age : TimeSpan.Zero;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return TimeSpan.Zero;
        }
    }

    [GeneratedRegex("^-[0-9]{8}T[0-9]{6}Z$")]
    private static partial Regex Stamp();

    private sealed record Ages(TimeSpan RotationTime, TimeSpan MaxAge);
}
