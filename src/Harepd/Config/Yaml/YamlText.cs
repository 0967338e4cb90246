using System.Text;

namespace Harepd.Config.Yaml;

/// <summary>Turns a file's bytes into text, and answers what YAML's own error would not explain: other encodings and tabs.</summary>
internal static class YamlText
{
    private const int MaxBytes = 256 * 1024;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file's text without a byte order mark; null after an error was added.</summary>
    public static string? Read(string file, ErrorList errors)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaxBytes)
            {
                errors.Add(0, "", null, "the file is longer than 256 KiB", "name the configuration file itself");
                return null;
            }

            return Decode(bytes.AsSpan(0, length), errors);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            var mend = e is FileNotFoundException or DirectoryNotFoundException
                ? "name an existing file with -f"
                : $"let the user {Environment.UserName} read it";
            errors.Add(0, "", null, $"cannot be read: {Reason(e)}", mend);
            return null;
        }
    }

    private static string? Decode(ReadOnlySpan<byte> bytes, ErrorList errors)
    {
        bytes = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
        try
        {
            var text = Strict.GetString(bytes);
            return FindTabs(text, errors) ? null : text;
        }
        catch (DecoderFallbackException e)
        {
            var line = 1 + bytes[..Math.Max(0, e.Index)].Count((byte)'\n');
            errors.Add(line, "", null, "not UTF-8", "save the file as UTF-8");
            return null;
        }
    }

    private static bool FindTabs(string text, ErrorList errors)
    {
        var found = false;
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var indentation = lines[i].AsSpan(0, lines[i].Length - lines[i].AsSpan().TrimStart(" \t").Length);
            if (indentation.Contains('\t') && lines[i].AsSpan().Trim().Length > 0)
            {
                found = true;
                errors.Add(i + 1, "", null, "a tab in the indentation", "indent with two spaces; YAML forbids tabs");
            }
        }

        return found;
    }

    private static string Reason(Exception e) => e switch
    {
        FileNotFoundException => "there is no such file",
        DirectoryNotFoundException => "there is no such folder",
        UnauthorizedAccessException => "access denied, or it is a folder",
        _ => e.Message,
    };
}
