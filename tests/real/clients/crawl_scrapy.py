"""Crawls every linked page with Scrapy, which tries a conflict again: URL."""

import json
import sys
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess

url = sys.argv[1]
visited = {}
linked_hosts = set()


class Pages(scrapy.Spider):
    name = "pages"
    custom_settings = {
        "RETRY_HTTP_CODES": [409],
        "RETRY_TIMES": 20,
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_TIMEOUT": 30,
        "AUTOTHROTTLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
    }

    async def start(self):
        # Not start_urls: those are asked for once more when a page links to them.
        yield scrapy.Request(f"{url}/pages/1", self.parse)

    def parse(self, response):
        path = urlsplit(response.url).path
        visited[path] = visited.get(path, 0) + 1
        for link in response.css("a::attr(href)").getall():
            target = response.urljoin(link)
            linked_hosts.add(urlsplit(target).netloc)
            if urlsplit(target).path.startswith("/pages/"):
                yield response.follow(link, self.parse)


process = CrawlerProcess(install_root_handler=True)
crawler = process.create_crawler(Pages)
process.crawl(crawler)
process.start()
stats = crawler.stats.get_stats()
print(json.dumps({
    "visited": visited,
    "linked_hosts": sorted(linked_hosts),
    "conflicts": stats.get("downloader/response_status_count/409", 0),
    "answers": stats.get("downloader/response_count", 0),
    "gave_up": stats.get("retry/max_reached", 0),
}))
