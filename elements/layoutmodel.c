/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutmodel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

G_LOCK_DEFINE_STATIC (models);
static GHashTable *models;      /* key → GstLayoutModel, which its users own */

gchar *
gst_layout_model_default_path (void)
{
  const gchar *path = g_getenv ("DOCLAYOUT_MODEL");

  if (path && *path)
    return g_strdup (path);
  return g_build_filename (g_get_user_cache_dir (), "gst-doclayout",
      "layout_cdla.onnx", NULL);
}

GError *
gst_layout_error_from_nn (const nn_error * error)
{
  static const struct
  {
    GQuark (*domain) (void);
    gint code;
  } codes[] = {
    [NN_ERR_ARGUMENT] = {gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS},
    [NN_ERR_IO] = {gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ},
    [NN_ERR_FORMAT] = {gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE},
    [NN_ERR_UNSUPPORTED] = {gst_stream_error_quark,
        GST_STREAM_ERROR_NOT_IMPLEMENTED},
    [NN_ERR_LIMIT] = {gst_stream_error_quark, GST_STREAM_ERROR_FORMAT},
    [NN_ERR_MEMORY] = {gst_resource_error_quark,
        GST_RESOURCE_ERROR_NO_SPACE_LEFT},
    [NN_ERR_DEVICE] = {gst_resource_error_quark, GST_RESOURCE_ERROR_FAILED},
  };

  if ((guint) error->status >= G_N_ELEMENTS (codes)
      || codes[error->status].domain == NULL)
    return g_error_new_literal (GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
        error->message);
  return g_error_new_literal (codes[error->status].domain (),
      codes[error->status].code, error->message);
}

static void
set_missing (GError ** error, const gchar * path, gboolean is_default)
{
  if (!is_default)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        "The model file \"%s\" does not exist.", path);
  else if (g_strcmp0 (path, g_getenv ("DOCLAYOUT_MODEL")) == 0)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        "The model file \"%s\", which DOCLAYOUT_MODEL names, does not exist.",
        path);
  else
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        "No model: \"%s\" does not exist. pipelines/detect.sh fetches the "
        "default model to there; or place an ONNX model there yourself, or "
        "name one with model-file= or DOCLAYOUT_MODEL.", path);
}

/* SHA-256 of what `fd` reads; NULL with errno set. */
static gchar *
checksum (gint fd)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *block = g_malloc (1 << 16);
  gssize n;

  while ((n = read (fd, block, 1 << 16)) != 0) {
    if (n < 0 && errno != EINTR)
      return NULL;
    if (n > 0)
      g_checksum_update (sum, block, n);
  }
  return g_strdup (g_checksum_get_string (sum));
}

/* The file's checksum, and a key that changes when the file does. FALSE with `error` set. */
static gboolean
examine (const gchar * path, gboolean is_default, gchar ** key,
    gchar ** sha256, GError ** error)
{
  gint fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st;
  gint reason = errno;

  if (fd < 0 && reason == ENOENT) {
    set_missing (error, path, is_default);
    return FALSE;
  }
  if (fd >= 0 && fstat (fd, &st) == 0) {
    if (!S_ISREG (st.st_mode)) {
      close (fd);
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
          "The model \"%s\" is not a regular file.", path);
      return FALSE;
    }
    *sha256 = checksum (fd);
  }
  reason = fd < 0 ? reason : errno;
  if (fd >= 0)
    close (fd);
  if (fd < 0 || *sha256 == NULL) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        "The model file \"%s\" cannot be read: %s.", path,
        g_strerror (reason));
    return FALSE;
  }
  *key = g_strdup_printf ("%s %s", path, *sha256);
  return TRUE;
}

GstLayoutModel *
gst_layout_model_open (const gchar * path, gboolean is_default, GError ** error)
{
  g_autofree gchar *key = NULL, *sha256 = NULL;
  GstLayoutModel *self;

  if (!examine (path, is_default, &key, &sha256, error))
    return NULL;

  G_LOCK (models);
  if (models == NULL)
    models = g_hash_table_new (g_str_hash, g_str_equal);
  self = g_hash_table_lookup (models, key);
  if (self) {
    self->users++;
  } else {
    nn_error reason = { 0 };
    nn_model *model = nn_model_open (path, &reason);

    if (model) {
      self = g_new0 (GstLayoutModel, 1);
      self->model = model;
      self->path = g_strdup (path);
      self->name = g_path_get_basename (path);
      self->sha256 = g_steal_pointer (&sha256);
      self->key = g_steal_pointer (&key);
      self->users = 1;
      g_hash_table_insert (models, self->key, self);
    } else {
      g_propagate_error (error, gst_layout_error_from_nn (&reason));
    }
  }
  G_UNLOCK (models);
  return self;
}

void
gst_layout_model_unref (GstLayoutModel * self)
{
  if (self == NULL)
    return;
  G_LOCK (models);
  if (--self->users == 0) {
    g_hash_table_remove (models, self->key);
    if (g_hash_table_size (models) == 0)
      g_clear_pointer (&models, g_hash_table_unref);
    nn_model_unref (self->model);
    g_free (self->path);
    g_free (self->name);
    g_free (self->sha256);
    g_free (self->key);
    g_free (self);
  }
  G_UNLOCK (models);
}
