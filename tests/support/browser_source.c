/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A browser source without a browser, for tests only: OBS as Debian builds it has none. It takes the same settings and
 * has the same button as the real one, draws nothing, and writes what it is told to OBS's log as "page NAME: WHAT".
 */
#include <obs/obs-module.h>

OBS_DECLARE_MODULE()

struct page {
	obs_source_t *source;
	char *address;
	uint32_t width, height;
};

static const char *page_name(void *unused)
{
	UNUSED_PARAMETER(unused);
	return "Browser";
}

static void page_update(void *data, obs_data_t *settings)
{
	struct page *page = data;
	bool local = obs_data_get_bool(settings, "is_local_file");
	const char *address = obs_data_get_string(settings, local ? "local_file" : "url");

	page->width = (uint32_t)obs_data_get_int(settings, "width");
	page->height = (uint32_t)obs_data_get_int(settings, "height");
	if (page->address && strcmp(page->address, address) == 0)
		return;
	bfree(page->address);
	page->address = bstrdup(address);
	blog(LOG_INFO, "page %s: loads %s", obs_source_get_name(page->source), address);
}

static void *page_create(obs_data_t *settings, obs_source_t *source)
{
	struct page *page = bzalloc(sizeof(struct page));

	page->source = source;
	page_update(page, settings);
	return page;
}

static void page_destroy(void *data)
{
	struct page *page = data;

	bfree(page->address);
	bfree(page);
}

static uint32_t page_width(void *data)
{
	return ((struct page *)data)->width;
}

static uint32_t page_height(void *data)
{
	return ((struct page *)data)->height;
}

static void page_defaults(obs_data_t *settings)
{
	obs_data_set_default_string(settings, "url", "https://obsproject.com/browser-source");
	obs_data_set_default_int(settings, "width", 800);
	obs_data_set_default_int(settings, "height", 600);
	obs_data_set_default_int(settings, "fps", 30);
	obs_data_set_default_bool(settings, "fps_custom", false);
	obs_data_set_default_bool(settings, "shutdown", false);
	obs_data_set_default_bool(settings, "restart_when_active", false);
	obs_data_set_default_int(settings, "webpage_control_level", 1);
	obs_data_set_default_bool(settings, "reroute_audio", false);
}

static bool refresh(obs_properties_t *properties, obs_property_t *button, void *data)
{
	UNUSED_PARAMETER(properties);
	UNUSED_PARAMETER(button);
	blog(LOG_INFO, "page %s: refreshed", obs_source_get_name(((struct page *)data)->source));
	return false;
}

static obs_properties_t *page_properties(void *data)
{
	obs_properties_t *properties = obs_properties_create();

	UNUSED_PARAMETER(data);
	obs_properties_add_button(properties, "refreshnocache", "Refresh", refresh);
	return properties;
}

static void page_render(void *data, gs_effect_t *effect)
{
	UNUSED_PARAMETER(data);
	UNUSED_PARAMETER(effect);
}

static struct obs_source_info page = {
	.id = "browser_source",
	.type = OBS_SOURCE_TYPE_INPUT,
	.output_flags = OBS_SOURCE_VIDEO | OBS_SOURCE_CUSTOM_DRAW,
	.get_name = page_name,
	.create = page_create,
	.destroy = page_destroy,
	.update = page_update,
	.get_width = page_width,
	.get_height = page_height,
	.get_defaults = page_defaults,
	.get_properties = page_properties,
	.video_render = page_render,
};

bool obs_module_load(void)
{
	obs_register_source(&page);
	return true;
}
